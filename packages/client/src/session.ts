import { CallError, type Fields, fieldsOf, isFields, toCallError } from './call-error.ts'
import type { ClientCodec, ServerPackage } from './codec.ts'
import { toJson } from './json.ts'
import { uniqueId } from './unique-id.ts'

export type ClientFrame = string | Uint8Array<ArrayBuffer>

/** What waits for the reply to a call, or for the answer to a control frame: a reply with that frame as its `data`. */
export interface ReplyListener {
  /** `more`: packages of the same reply follow. */
  reply(reply: ServerPackage, more: boolean): void
  /** The connection ended before the last package. */
  lost(): void
}

export interface SessionOptions {
  readonly codec: ClientCodec
  readonly send: (frame: ClientFrame) => void
  readonly onEvent: (event: ServerPackage) => void
  /** Control frames that answer nothing. */
  readonly onControl: (frame: Fields) => void
  /** Replies that nothing waits for. */
  readonly onStray?: (reply: ServerPackage) => void
}

/** One open connection: assigns replies to calls, and answers to control frames. It has no timers. */
export class Session {
  readonly #options: SessionOptions
  /** By `req_id`, and by the `id` of control frames. */
  readonly #waiting = new Map<string, ReplyListener>()
  #ended = false

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** Sends an encoded package, or a control frame with that id. */
  call(id: string, frame: ClientFrame, listener: ReplyListener): void {
    if (this.#ended) return listener.lost()
    this.#waiting.set(id, listener)
    this.#options.send(frame)
  }

  /** Ends a streamed reply. Its last package is ignored, as a late reply is: neither is an event, nor an error. */
  cancel(id: string): void {
    if (!this.#waiting.has(id)) return
    this.#waiting.set(id, ignored)
    this.tell({ type: 'cancel', req_id: id })
  }

  /**
   * Sends a control frame that is answered. Rejects with a {@link CallError}, also when the connection ends first.
   *
   * @param onAnswer - Called before the next frame is received. `ws` reports many frames at once: what waits for the promise comes after them.
   */
  ask(frame: Fields, onAnswer?: (answer: Fields) => void): Promise<Fields> {
    return new Promise((resolve, reject) => {
      const id = uniqueId()
      this.call(id, toJson({ ...frame, id }), {
        reply: ({ status_code, data }) => {
          if (status_code === 0 && isFields(data)) {
            onAnswer?.(data)
            resolve(data)
          } else reject(toCallError(data))
        },
        lost: () => reject(connectionLost()),
      })
    })
  }

  /** Sends a control frame. */
  tell(frame: Fields): void {
    if (!this.#ended) this.#options.send(toJson(frame))
  }

  /** Receives text or an ArrayBuffer. @throws for a frame that is malformed */
  receive(data: unknown): void {
    if (data instanceof ArrayBuffer)
      return this.#package(this.#options.codec.decode(new Uint8Array(data), (_, reqId) => this.#waiting.has(reqId)))
    const frame = fieldsOf(JSON.parse(String(data)))
    const { pkg_id, req_id, id, type, meta } = frame
    if (typeof pkg_id === 'number')
      return this.#package({ data: null, ...frame, pkg_id, req_id: String(req_id), meta: isFields(meta) ? meta : null })
    if (
      !this.#answer({ pkg_id: 0, req_id: String(id), status_code: type === 'error' ? 1 : 0, data: frame, meta: null })
    )
      this.#options.onControl(frame)
  }

  /** The connection has ended. */
  end(): void {
    this.#ended = true
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const listener of waiting) listener.lost()
  }

  #package(received: ServerPackage): void {
    if (received.status_code === undefined) this.#options.onEvent(received)
    else if (!this.#answer(received)) this.#options.onStray?.(received)
  }

  #answer(reply: ServerPackage): boolean {
    const { req_id, meta } = reply
    const listener = this.#waiting.get(req_id)
    const more = meta?.more === true
    if (!more) this.#waiting.delete(req_id)
    listener?.reply(reply, more)
    return listener !== undefined
  }
}

const ignored: ReplyListener = { reply: () => {}, lost: () => {} }

export function connectionLost(): CallError {
  return new CallError('connection_lost', 'The connection ended', { outcomeUnknown: true })
}
