import { connect } from 'node:net'
import { LoadGenerator } from './load-generator.mjs'
import { readOnce } from './read-once.mjs'

const headEnd = Buffer.from('\r\n\r\n')
const success = Buffer.from('HTTP/1.1 200 OK\r\n')

/** One HTTP/1.1 connection that downloads one file after the other. Bodies are counted and not kept: a copy would cost more than the rest. */
class DownloadClient {
  #socket
  #load
  #request
  #bodyBytes
  /** What is left of a body; 0 while a head is awaited. */
  #left = 0
  #head = Buffer.alloc(0)

  constructor(socket, load, request, bodyBytes) {
    this.#socket = socket
    this.#load = load
    this.#request = request
    this.#bodyBytes = bodyBytes
    socket.on('error', (error) => load.failed(error))
    socket.on('close', () => load.failed(new Error('The server has closed a connection')))
  }

  #count = (chunk) => {
    try {
      const bodies = this.#countBodies(chunk)
      if (bodies > 0) this.#load.replied(this, bodies)
    } catch (error) {
      this.#load.failed(error)
    }
  }

  #countBodies(chunk) {
    let bodies = 0
    let rest = chunk
    while (rest.length > 0) {
      if (this.#left === 0) {
        const bytes = this.#head.length === 0 ? rest : Buffer.concat([this.#head, rest])
        const end = bytes.indexOf(headEnd)
        if (end === -1) {
          this.#head = bytes
          return bodies
        }
        if (bytes.compare(success, 0, success.length, 0, success.length) !== 0)
          throw new Error(`Another reply than the first: ${bytes.toString('latin1', 0, end)}`)
        this.#head = Buffer.alloc(0)
        this.#left = this.#bodyBytes
        rest = bytes.subarray(end + headEnd.length)
      }
      const taken = Math.min(this.#left, rest.length)
      this.#left -= taken
      rest = rest.subarray(taken)
      if (this.#left === 0) bodies++
    }
    return bodies
  }

  start() {
    this.#socket.on('data', this.#count)
    this.send(1)
  }

  send() {
    this.#socket.write(this.#request)
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

/** One download at a time on each of its connections. */
export class DownloadLoad extends LoadGenerator {
  constructor() {
    super(1)
  }

  /**
   * Connects, and compares the first download of every connection byte for byte.
   *
   * @param {{ port: number }} server
   * @param {{ request: Buffer, body: Uint8Array, headers: (server: string) => string[] }} workload
   */
  async connect({ port }, connections, { request, body, headers }, name) {
    for (let i = 0; i < connections; i++) {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true })
      socket.write(request)
      const head = await readOnce(socket, (bytes) => readReply(bytes, body))
      const missing = headers(name).filter((header) => !head.toLowerCase().includes(`\r\n${header}: `))
      if (missing.length > 0) throw new Error(`The reply lacks the headers ${missing.join(', ')}`)
      this.clients.push(new DownloadClient(socket, this, request, body.length))
    }
  }
}

/** The head of a reply that has the body; null while it is not whole. */
function readReply(bytes, body) {
  const end = bytes.indexOf(headEnd)
  if (end === -1) return null
  const head = bytes.toString('latin1', 0, end)
  const [, length] = /\r\ncontent-length: (\d+)(?=\r\n|$)/i.exec(head) ?? []
  if (!head.startsWith('HTTP/1.1 200 ') || Number(length) !== body.length) throw new Error(`Wrong reply: ${head}`)
  const start = end + headEnd.length
  if (bytes.length < start + body.length) return null
  if (bytes.length > start + body.length || bytes.compare(body, 0, body.length, start) !== 0)
    throw new Error('The body is another than the file')
  return head
}
