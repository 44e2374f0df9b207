import { jsonCodec, type ServerPackage, Session } from '@twinwire/client/internal'
import { toJsonValue } from '../protocol/json-value.ts'
import { Inbox, toClosedError } from './inbox.ts'
import type { RawSocket } from './raw-client.ts'

type Fields = Readonly<Record<string, unknown>>

/** A package of a reply. `more`: others follow. */
interface ReplyPart {
  readonly reply: ServerPackage
  readonly more: boolean
}

/** The longest delay of a timer: each reader of an inbox has a time limit of its own. */
export const noLimitMs: number = 2 ** 31 - 1

/** The session of the client package over a socket of the kit, with inboxes for what it does not assign to a call. */
export class TestSession {
  readonly controls: Inbox<Fields> = new Inbox('control frame')
  /** Replies without a call that waits. */
  readonly strays: Inbox<Fields> = new Inbox('reply')
  readonly #session: Session
  readonly #events = new Map<number, Inbox<unknown>>()
  #closed: Error | null = null

  constructor(socket: RawSocket) {
    this.#session = new Session({
      codec: jsonCodec,
      send: (frame) => socket.send(frame),
      onEvent: ({ pkg_id, data }) => this.events(pkg_id).push(data),
      onControl: (frame) => this.controls.push(frame),
      onStray: (reply) => this.strays.push({ ...reply }),
    })
    void this.#read(socket)
  }

  /** Sends a call. Throws for an input without a JSON form; then no answer is awaited. */
  call(pkgId: number, reqId: string, data: unknown): Inbox<ReplyPart> {
    const frame = jsonCodec.encode(pkgId, reqId, data)
    // Throws for a Map or a Set, which would be sent as `{}`. Encoding has found what is circular.
    toJsonValue(data)
    const parts = new Inbox<ReplyPart>('item')
    if (this.#closed !== null) parts.end(this.#closed)
    else
      this.#session.call(reqId, frame, {
        reply: (reply, more) => parts.push({ reply, more }),
        lost: () => parts.end(this.#closed ?? new Error('The connection was closed')),
      })
    return parts
  }

  /** Ends a streamed reply. Its last package still arrives. */
  cancel(reqId: string): void {
    this.#session.tell({ type: 'cancel', req_id: reqId })
  }

  /** Sends a control frame, and resolves with its answer. Rejects with the error of the server. */
  async ask(frame: Fields): Promise<Fields> {
    try {
      return await this.#session.ask(frame)
    } catch (error) {
      throw this.#closed ?? error
    }
  }

  events(pkgId: number): Inbox<unknown> {
    let events = this.#events.get(pkgId)
    if (events === undefined) {
      events = new Inbox(`event ${pkgId}`)
      if (this.#closed !== null) events.end(this.#closed)
      this.#events.set(pkgId, events)
    }
    return events
  }

  async #read(socket: RawSocket): Promise<void> {
    try {
      for (;;) {
        const { data } = await socket.next(noLimitMs)
        this.#session.receive(typeof data === 'string' ? data : new TextDecoder().decode(data))
      }
    } catch {
      const error = toClosedError('The connection was closed', await socket.closed)
      this.#closed = error
      this.#session.end()
      for (const inbox of [this.controls, this.strays, ...this.#events.values()]) inbox.end(error)
    }
  }
}
