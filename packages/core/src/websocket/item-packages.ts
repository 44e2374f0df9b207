import type { Timer } from '../base/clock.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { ItemSink } from '../call/streamed-reply.ts'
import type { AppError } from '../errors/app-error.ts'
import { RSPCode } from '../errors/status.ts'
import type { MoreMeta } from '../protocol/frame.ts'
import type { ResolvedWebSocketOptions } from './options.ts'
import type { WireConnection } from './wire.ts'

/** What it needs of the connection. */
export interface ItemConnection extends Pick<WireConnection, 'bufferedBytes' | 'codec' | 'isOpen'> {
  readonly shared: { readonly options: Pick<ResolvedWebSocketOptions, 'maxBackpressureBytes'> }
  succeed(call: ActiveCall, result: unknown): number
  fail(call: ActiveCall, error: AppError): void
  send(data: string | Uint8Array, binary: boolean): void
}

/** Of the back pressure limit: above it no item is read or sent. The rest is for events and other replies. */
const share = 1 / 4
/** `drained` may not be called for bytes that `bufferedBytes` counts though they are not queued. */
const checkAgainMs = 100

const more: MoreMeta = { more: true }

/** Streamed replies that wait until their client has received more. Only of slow clients, so no connection has a field for them. */
const waiting = new WeakMap<object, Set<() => void>>()

/** The connection has sent some of what was queued. */
export function resumeItems(connection: object): void {
  const replies = waiting.get(connection)
  if (replies === undefined) return
  waiting.delete(connection)
  for (const resume of replies) resume()
}

/** Sends each item as a reply package with `meta: {"more":true}`, and the end as the package without it. */
export class ItemPackages implements ItemSink {
  readonly #connection: ItemConnection
  readonly #call: ActiveCall
  #timer: Timer | null = null
  #resume: (() => void) | null = null

  constructor(connection: ItemConnection, call: ActiveCall) {
    this.#connection = connection
    this.#call = call
  }

  get #isFull(): boolean {
    const { bufferedBytes, shared } = this.#connection
    return bufferedBytes > shared.options.maxBackpressureBytes * share
  }

  ready(): Promise<void> | undefined {
    return this.#isFull ? this.#untilFree() : undefined
  }

  send(item: unknown): boolean {
    const { codec } = this.#connection
    const { pkgId, id } = this.#call
    this.#connection.send(codec.encodeReply(pkgId, id, RSPCode.OK, more, item), codec.binary)
    return true
  }

  end(): number {
    return this.#connection.succeed(this.#call, null)
  }

  fail(error: AppError): void {
    this.#connection.fail(this.#call, error)
  }

  ended(): void {
    this.#resume?.()
  }

  async #untilFree(): Promise<void> {
    while (this.#isFull && !this.#call.settled) await this.#drained()
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#timer?.cancel()
        this.#timer = null
        this.#resume = null
        waiting.get(this.#connection)?.delete(resume)
        resolve()
      }
      this.#resume = resume
      this.#timer = this.#call.services.clock.timer(checkAgainMs, resume)
      const replies = waiting.get(this.#connection)
      if (replies === undefined) waiting.set(this.#connection, new Set([resume]))
      else replies.add(resume)
    })
  }
}
