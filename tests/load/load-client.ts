import { randomUUID } from 'node:crypto'
import { WebSocket } from 'ws'

/** What all clients see. Times are milliseconds. */
export interface LoadRecord {
  /** When each publication was sent, by its number. */
  readonly sentAt: Map<number, number>
  readonly events: number[]
  readonly calls: number[]
  readonly problems: string[]
  notRecovered: number
  gaps: number
}

/** A connection that has subscribed to a topic, calls, and comes back where it was. */
export class LoadClient {
  readonly name: number
  readonly topic: string
  readonly #record: LoadRecord
  readonly #pending = new Map<
    string,
    { readonly text: string; readonly startedMs: number; readonly done: () => void }
  >()
  #since: { epoch: string; offset: number } | null = null
  #socket: WebSocket | null = null
  #subscribed: Promise<void> = Promise.resolve()

  constructor(name: number, topic: string, record: LoadRecord) {
    this.name = name
    this.topic = topic
    this.#record = record
  }

  get offset(): number {
    return this.#since?.offset ?? 0
  }

  /** Resolves when it has subscribed. Calls that were in flight have no reply. */
  connect(port: number): Promise<void> {
    this.#socket?.terminate()
    for (const { done } of this.#pending.values()) done()
    this.#pending.clear()
    const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, { perMessageDeflate: false })
    this.#socket = socket
    this.#subscribed = new Promise((resolve, reject) => {
      socket.on('error', reject)
      socket.on('close', (code) => {
        if (socket === this.#socket) this.#record.problems.push(`client ${this.name} was closed with ${code}`)
      })
      socket.on('open', () => {
        const since = this.#since === null ? {} : { since: this.#since }
        socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: this.topic, ...since }))
      })
      socket.on('message', (message) => {
        if (socket !== this.#socket) return
        const frame = JSON.parse(String(message))
        if (frame.pkg_id === 100) this.#event(frame)
        else if (frame.pkg_id !== undefined) this.#reply(frame)
        else if (frame.type === 'gap') {
          this.#record.gaps += 1
          this.#since = { epoch: frame.epoch, offset: frame.offset }
        } else if (frame.type === 'subscribed') {
          if (this.#since !== null && !frame.recovered) this.#record.notRecovered += 1
          this.#since = { epoch: frame.epoch, offset: frame.offset }
          resolve()
        }
      })
    })
    return this.#subscribed
  }

  async say(n: number): Promise<void> {
    await this.#isThere()
    this.#socket?.send(JSON.stringify({ pkg_id: 1, req_id: randomUUID(), method: '', data: { n, topic: this.topic } }))
  }

  /** Resolves with its reply, or when the connection is replaced. */
  async echo(text: string): Promise<void> {
    await this.#isThere()
    return new Promise((done) => {
      const id = randomUUID()
      this.#pending.set(id, { text, startedMs: performance.now(), done })
      this.#socket?.send(JSON.stringify({ pkg_id: 2, req_id: id, method: '', data: { text } }))
    })
  }

  /** It may be coming back, and again while that is waited for. */
  async #isThere(): Promise<void> {
    for (let last: Promise<void> | null = null; last !== this.#subscribed; await last) last = this.#subscribed
  }

  #reply({
    req_id,
    pkg_id,
    status_code,
    data,
  }: {
    req_id: string
    pkg_id: number
    status_code: number
    data: unknown
  }) {
    const pending = this.#pending.get(req_id)
    if (status_code !== 0 || (pkg_id === 2 && Object(data).text !== pending?.text))
      this.#record.problems.push(`client ${this.name} was answered ${status_code} ${JSON.stringify(data)}`)
    if (pending === undefined) return
    this.#record.calls.push(performance.now() - pending.startedMs)
    this.#pending.delete(req_id)
    pending.done()
  }

  #event({ meta: { epoch, offset }, data: { n } }: { meta: { epoch: string; offset: number }; data: { n: number } }) {
    const at = this.#record.sentAt.get(n)
    if (at !== undefined) this.#record.events.push(performance.now() - at)
    const last = this.#since
    if (last !== null && (last.epoch !== epoch || last.offset + 1 !== offset))
      this.#record.problems.push(`client ${this.name}: ${epoch}:${offset} after ${last.epoch}:${last.offset}`)
    this.#since = { epoch, offset }
  }
}
