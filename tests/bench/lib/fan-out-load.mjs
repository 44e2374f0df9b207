import { connect } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { createHandshake, readFrame, toClientFrame } from './frames.mjs'

const waitLimitMs = 30_000
/** Deliveries between two looks at the clock. */
const burstDeliveries = 20_000
const openAtOnce = 100
/** Read from all sockets into one buffer, because the contents are not looked at. */
const shared = Buffer.alloc(256 * 1024)

/** A connection that counts the bytes it receives, and reads none of them once the run has begun. */
class Receiver {
  bytes = 0
  #socket
  #onBytes
  /** What has arrived while someone waits for it; null when bytes are counted. */
  #collected = Buffer.alloc(0)
  #wake = null

  constructor(port, failed, onBytes) {
    this.#onBytes = onBytes
    const onread = { buffer: shared, callback: (length) => this.#read(length) }
    this.#socket = connect({ host: '127.0.0.1', port, noDelay: true, onread })
    this.#socket.on('error', failed)
    this.#socket.on('close', () => failed(new Error('The server has closed a connection that reads')))
  }

  async open(port, path, protocol) {
    const { request, accept } = createHandshake(port, path)
    this.#socket.write(request)
    const head = await this.#until((bytes) => {
      const end = bytes.indexOf('\r\n\r\n')
      return end === -1 ? null : { value: bytes.toString('latin1', 0, end), end: end + 4 }
    })
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(accept)) throw new Error(`No upgrade: ${head}`)
    this.#socket.write(toClientFrame(protocol.join))
    const reply = JSON.parse(await this.readFrame())
    if (!isDeepStrictEqual(reply, protocol.joined)) throw new Error(`Wrong reply: ${JSON.stringify(reply)}`)
  }

  readFrame() {
    return this.#until((bytes) => {
      const text = readFrame(bytes)
      return text === null ? null : { value: text, end: bytes.length }
    })
  }

  count() {
    this.#collected = null
  }

  stopReading() {
    this.#socket.removeAllListeners('close')
    this.#socket.pause()
  }

  close() {
    this.#socket.removeAllListeners()
    this.#socket.on('error', () => {})
    this.#socket.destroy()
  }

  #read(length) {
    if (this.#collected === null) {
      this.bytes += length
      this.#onBytes(length)
    } else {
      this.#collected = Buffer.concat([this.#collected, shared.subarray(0, length)])
      this.#wake?.()
    }
    return true
  }

  #until(read) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('No answer')), waitLimitMs)
      this.#wake = () => {
        const found = read(this.#collected)
        if (found === null) return
        clearTimeout(timer)
        this.#wake = null
        this.#collected = this.#collected.subarray(found.end)
        resolve(found.value)
      }
      this.#wake()
    })
  }
}

/** Lets the server publish, and waits until every connection that reads has all of it. */
export class FanOutLoad {
  #server
  #slowShare
  #perTurn
  #receivers = []
  #slow = []
  #frameBytes = 0
  /** Bytes of this burst that have not arrived yet. */
  #missing = 0
  #finish = null
  #failure = null

  /**
   * @param {{ slowShare: number, perTurn: number }} options the share of connections that do not read, and the publications in one turn of
   *   the server's event loop
   */
  constructor({ slowShare, perTurn = 4 }) {
    this.#slowShare = slowShare
    this.#perTurn = perTurn
  }

  async connect(server, connections, workload) {
    this.#server = server
    const all = []
    while (all.length < connections) {
      const some = Array.from({ length: Math.min(openAtOnce, connections - all.length) }, () => this.#receiver())
      await Promise.all(
        some.map((receiver, i) => receiver.open(server.port, workload.path, workload.protocol(all.length + i))),
      )
      all.push(...some)
    }
    const slow = Math.round(connections * this.#slowShare)
    this.#slow = all.slice(0, slow)
    this.#receivers = all.slice(slow)
    // One publication in full on every connection.
    await server.ask('publish', { count: 1, perTurn: 1 })
    for (const receiver of all) {
      const text = await receiver.readFrame()
      if (!isDeepStrictEqual(JSON.parse(text), workload.firstFrame)) throw new Error(`Wrong publication: ${text}`)
      this.#frameBytes = Buffer.byteLength(text) + 4
    }
    for (const receiver of this.#receivers) receiver.count()
    for (const receiver of this.#slow) receiver.stopReading()
  }

  #receiver() {
    return new Receiver(
      this.#server.port,
      (error) => this.#failed(error),
      (length) => {
        this.#missing -= length
        if (this.#missing === 0) this.#finish?.resolve()
        else if (this.#missing < 0) this.#failed(new Error('More bytes than were published'))
      },
    )
  }

  /** @returns {Promise<{ messages: number, seconds: number }>} `messages`: deliveries to connections that read */
  async run(seconds) {
    const started = performance.now()
    let messages = 0
    while (performance.now() - started < seconds * 1000) messages += await this.#burst()
    return { messages, seconds: (performance.now() - started) / 1000 }
  }

  async #burst() {
    if (this.#failure !== null) throw this.#failure
    const count = Math.max(1, Math.round(burstDeliveries / this.#receivers.length))
    const bytes = count * this.#frameBytes
    for (const receiver of this.#receivers) receiver.bytes = 0
    this.#missing = bytes * this.#receivers.length
    const finished = new Promise((resolve, reject) => {
      this.#finish = { resolve, reject }
    })
    const cut = setTimeout(() => this.#failed(new Error('Deliveries are missing')), waitLimitMs)
    try {
      await this.#server.ask('publish', { count, perTurn: this.#perTurn })
      await finished
    } finally {
      clearTimeout(cut)
    }
    if (this.#receivers.some((receiver) => receiver.bytes !== bytes))
      throw new Error('A connection lacks a publication')
    return count * this.#receivers.length
  }

  #failed(error) {
    this.#failure ??= error
    this.#finish?.reject(error)
  }

  close() {
    for (const receiver of [...this.#receivers, ...this.#slow]) receiver.close()
  }
}
