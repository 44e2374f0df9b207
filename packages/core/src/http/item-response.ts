import type { Timer } from '../base/clock.ts'
import type { ActiveCall } from '../call/active-call.ts'
import type { ItemSink } from '../call/streamed-reply.ts'
import { toErrorBody } from '../edge/error-response.ts'
import type { AppError } from '../errors/app-error.ts'
import { heartbeat, toJsonEvent } from '../protocol/server-sent-events.ts'
import type { HeaderList, ResponseStream } from '../transport/transport.ts'
import type { ItemFormat } from './accept-header.ts'
import { streamHeads } from './response-heads.ts'

/** A response of server-sent events that is silent for so long gets a comment: proxies cut connections that are idle for a minute. */
export const itemHeartbeatMs = 15_000

/** What the response needs of its request. */
export interface ItemRequest {
  /** Begins the response, whose headers win over those that were added. */
  stream(call: ActiveCall, status: number, headers: HeaderList): ResponseStream
  /** Answers with the error alone. Only before the response has begun. */
  fail(call: ActiveCall, error: AppError): void
}

/**
 * The response of a streamed reply. NDJSON: a line for each item; an error is a last line with the only key `error`. Server-sent events: a
 * `data` line for each item; `event: end` or `event: error` is the last event, so that a cut connection does not look like the end.
 */
export class ItemResponse implements ItemSink {
  readonly #request: ItemRequest
  readonly #call: ActiveCall
  readonly #status: number
  readonly #format: ItemFormat
  /** Null until the first item, or the first heartbeat. */
  #stream: ResponseStream | null = null
  /** Set until the client has taken what was written. */
  #writing: Promise<unknown> | undefined
  #timer: Timer | null = null
  #lastWriteMs: number

  constructor(request: ItemRequest, call: ActiveCall, status: number, format: ItemFormat) {
    this.#request = request
    this.#call = call
    this.#status = status
    this.#format = format
    this.#lastWriteMs = call.services.clock.monotonic()
    if (format === 'events') this.#beatLater(itemHeartbeatMs)
  }

  ready(): Promise<unknown> | undefined {
    return this.#writing
  }

  send(item: unknown): boolean {
    const json = JSON.stringify(item) ?? 'null'
    return this.#write(this.#format === 'events' ? toJsonEvent(null, json) : `${json}\n`)
  }

  end(): number {
    if (this.#format === 'events') this.#write(toJsonEvent('end', 'null'))
    this.#begin().end()
    return this.#status
  }

  fail(error: AppError): void {
    if (this.#stream === null) return this.#request.fail(this.#call, error)
    const body = toErrorBody(error, this.#call.services.errorLink, () => this.#call.log)
    this.#write(this.#format === 'events' ? toJsonEvent('error', body) : `${body}\n`)
    this.#stream.end()
  }

  ended(): void {
    this.#timer?.cancel()
    this.#timer = null
  }

  #begin(): ResponseStream {
    this.#stream ??= this.#request.stream(this.#call, this.#status, streamHeads[this.#format])
    return this.#stream
  }

  #write(text: string): boolean {
    const stream = this.#begin()
    if (!stream.open) return false
    this.#lastWriteMs = this.#call.services.clock.monotonic()
    const writing = stream.write(text).finally(() => {
      if (this.#writing === writing) this.#writing = undefined
    })
    this.#writing = writing
    return true
  }

  #beatLater(delayMs: number): void {
    const { clock } = this.#call.services
    this.#timer = clock.timer(delayMs, () => {
      const leftMs = this.#lastWriteMs + itemHeartbeatMs - clock.monotonic()
      // A client that has not taken the last one yet gets no second one.
      if (leftMs <= 0 && this.#writing === undefined) this.#write(heartbeat)
      this.#beatLater(leftMs <= 0 ? itemHeartbeatMs : leftMs)
    })
  }
}
