import { connect } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { LoadGenerator } from './load-generator.mjs'
import { readOnce } from './read-once.mjs'

const headEnd = Buffer.from('\r\n\r\n')
const success = Buffer.from('HTTP/1.1 200 OK\r\n')

/** One HTTP/1.1 connection on a raw TCP socket, with requests in flight one behind the other. */
class HttpClient {
  #socket
  #load
  #requests
  #requestBytes
  #inFlight
  #next = 0
  /** The header of the length as this server writes it, and the length. */
  #mark
  #bodyBytes
  #rest = null

  constructor(socket, load, requests, { mark, bodyBytes }) {
    this.#socket = socket
    this.#load = load
    this.#inFlight = requests.length
    this.#requestBytes = requests[0].length
    if (requests.some(({ length }) => length !== this.#requestBytes)) throw new Error('Requests must be of one length')
    // Repeated twice, so that any sequence of them is contiguous.
    this.#requests = Buffer.concat([...requests, ...requests])
    this.#mark = mark
    this.#bodyBytes = bodyBytes
    socket.on('error', (error) => load.failed(error))
    socket.on('close', () => load.failed(new Error('The server has closed a connection')))
  }

  #count = (chunk) => {
    try {
      this.#load.replied(this, this.#countReplies(chunk))
    } catch (error) {
      this.#load.failed(error)
    }
  }

  /** Replies that end in this chunk. Each has to be a 200 with a body of the length that was checked. */
  #countReplies(chunk) {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    let replies = 0
    let at = 0
    while (at < bytes.length) {
      const head = bytes.indexOf(headEnd, at)
      if (head === -1) break
      const end = head + headEnd.length + this.#bodyBytes
      if (end > bytes.length) break
      const mark = bytes.indexOf(this.#mark, at)
      if (mark === -1 || mark > head || bytes.compare(success, 0, success.length, at, at + success.length) !== 0) {
        throw new Error(`Another reply than the first: ${bytes.toString('latin1', at, end)}`)
      }
      replies++
      at = end
    }
    this.#rest = at === bytes.length ? null : bytes.subarray(at)
    return replies
  }

  start() {
    this.#socket.on('data', this.#count)
    this.send(this.#inFlight)
  }

  send(count) {
    const from = this.#next
    this.#next = (from + count) % this.#inFlight
    this.#socket.write(this.#requests.subarray(from * this.#requestBytes, (from + count) * this.#requestBytes))
  }

  pause() {
    this.#socket.off('data', this.#count)
  }

  close() {
    this.#socket.removeAllListeners()
    this.#socket.on('error', () => {})
    this.#socket.destroy()
  }
}

/** Keeps requests under way on each of its connections. */
export class HttpLoad extends LoadGenerator {
  /**
   * Connects, and checks on every connection one reply in full.
   *
   * @param {{ port: number, tokens: readonly string[] }} server
   * @param {{ toRequest: (connection: number, slot: number, token: string | null) => { bytes: Buffer, reply: unknown },
   *   toProbes: (token: string | null) => { request: Buffer, status: number[] }[], headers: (server: string) => string[] }} workload
   */
  async connect({ port, tokens }, connections, workload, name) {
    for (const { request, status } of workload.toProbes(tokens[0] ?? null)) {
      const socket = await open(port)
      const { head } = await ask(socket, request)
      socket.destroy()
      if (!status.includes(statusOf(head))) throw new Error(`Wrong reply to ${request.toString('latin1')}: ${head}`)
    }
    for (let i = 0; i < connections; i++) {
      const token = tokens.length === 0 ? null : tokens[i % tokens.length]
      const requests = Array.from({ length: this.inFlight }, (_, slot) => workload.toRequest(i, slot, token))
      const socket = await open(port)
      const { head, body, mark } = await ask(socket, requests[0].bytes)
      const { reply } = requests[0]
      if (statusOf(head) !== 200 || !isDeepStrictEqual(JSON.parse(body), reply)) {
        throw new Error(`Wrong reply: ${head} ${body} instead of ${JSON.stringify(reply)}`)
      }
      const missing = workload.headers(name).filter((header) => !head.toLowerCase().includes(`\r\n${header}: `))
      if (missing.length > 0) throw new Error(`The reply lacks the headers ${missing.join(', ')}`)
      const bytes = requests.map((request) => request.bytes)
      this.clients.push(new HttpClient(socket, this, bytes, { mark, bodyBytes: Buffer.byteLength(body) }))
    }
  }
}

function open(port) {
  return connect({ host: '127.0.0.1', port, noDelay: true })
}

const statusOf = (head) => Number(head.slice(9, 12))

/** Sends a request and returns the reply to it, whole. */
function ask(socket, request) {
  socket.write(request)
  return readOnce(socket, (bytes) => {
    const end = bytes.indexOf(headEnd)
    if (end === -1) return null
    const head = bytes.toString('latin1', 0, end)
    const [mark, length] = /\r\ncontent-length: (\d+)(?=\r\n|$)/i.exec(head) ?? []
    if (mark === undefined) throw new Error(`A reply without a length: ${head}`)
    const whole = end + headEnd.length + Number(length)
    if (bytes.length < whole) return null
    if (bytes.length > whole) throw new Error('More than one reply came back for one request')
    return { head, body: bytes.toString('utf8', end + headEnd.length), mark: Buffer.from(`${mark}\r\n`) }
  })
}
