import { connect } from 'node:net'
import { isDeepStrictEqual } from 'node:util'
import { createHandshake, FrameCounter, readFrame, toClientFrame } from './frames.mjs'
import { readOnce } from './read-once.mjs'

const waitLimitMs = 20_000

/** One WebSocket on a raw TCP socket. */
class Client {
  #socket
  #frames
  #frameBytes
  #inFlight
  /** Index of the next frame to send: they go round. */
  #next = 0
  #load
  #counter = new FrameCounter()
  /** Makes another package for each; null when the same ones go round. */
  #renew

  constructor(socket, load, packages, renew) {
    this.#socket = socket
    this.#load = load
    this.#renew = renew
    this.#inFlight = packages.length
    const frames = packages.map(({ text }) => toClientFrame(text))
    this.#frameBytes = frames[0].length
    if (frames.some(({ length }) => length !== this.#frameBytes)) throw new Error('Packages must be of one length')
    // Repeated twice, so that any sequence of them is contiguous.
    this.#frames = Buffer.concat([...frames, ...frames])
    socket.on('error', (error) => load.failed(error))
    socket.on('close', () => load.failed(new Error('The server has closed a connection')))
  }

  #count = (chunk) => {
    try {
      this.#load.replied(this, this.#counter.count(chunk))
    } catch (error) {
      this.#load.failed(error)
    }
  }

  /** `greeting`: what the first frame of the server has in it; null when it sends none by itself. */
  static async open(port, path, load, packages, token, greeting, renew) {
    const socket = connect({ host: '127.0.0.1', port, noDelay: true })
    const { request, accept } = createHandshake(port, path, token)
    socket.write(request)
    const opening = await readOnce(socket, (bytes) => readOpening(bytes, greeting !== null))
    const { head } = opening
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(accept)) throw new Error(`No upgrade: ${head}`)
    if (greeting !== null && !opening.greeting.includes(greeting)) {
      throw new Error(`Handshake rejected: ${opening.greeting}`)
    }
    return new Client(socket, load, packages, renew)
  }

  /** Sends one package and returns the whole reply. */
  async ask(text) {
    this.#socket.write(toClientFrame(text))
    return await readOnce(this.#socket, readFrame)
  }

  start() {
    this.#socket.on('data', this.#count)
    this.send(this.#inFlight)
  }

  send(count) {
    if (this.#renew !== null) {
      this.#socket.write(Buffer.concat(Array.from({ length: count }, () => toClientFrame(this.#renew()))))
      return
    }
    const from = this.#next
    this.#next = (from + count) % this.#inFlight
    this.#socket.write(this.#frames.subarray(from * this.#frameBytes, (from + count) * this.#frameBytes))
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

/** Keeps `inFlight` packages under way on each of its connections. */
export class LoadGenerator {
  clients = []
  /** Packages under way on each connection. */
  inFlight
  /** Packages that may still be sent in this run. */
  #left = 0
  #open = 0
  #done = 0
  #finish = null
  #failure = null

  constructor(inFlight) {
    this.inFlight = inFlight
  }

  /**
   * Connects, and checks on every connection one reply in full.
   *
   * @param {{ port: number, tokens: readonly string[] }} server
   * @param {number} connections
   * @param {{ path: string, greeting?: string, hello?: { text: string, matches: (text: string) => boolean },
   *   parse?: (message: string | Buffer) => unknown,
   *   toPackage: (connection: number, slot: number) => { text: string | Uint8Array, reply: unknown },
   *   probes: { text: string | Uint8Array, matches: (reply: any) => boolean }[] }} workload
   *   `text` may be bytes: then it is a binary frame. With `fresh` each package is another one.
   */
  async connect({ port, tokens }, connections, workload) {
    for (let i = 0; i < connections; i++) {
      const packages = Array.from({ length: this.inFlight }, (_, slot) => workload.toPackage(i, slot))
      const token = tokens.length === 0 ? null : tokens[i % tokens.length]
      const greeting = workload.greeting ?? (token === null ? null : 'auth_ok')
      const renew = workload.fresh === true ? () => workload.toPackage(i, 0).text : null
      const client = await Client.open(port, workload.path, this, packages, token, greeting, renew)
      this.clients.push(client)
      const { hello, parse = JSON.parse } = workload
      if (hello !== undefined) {
        const answer = await client.ask(hello.text)
        if (!hello.matches(answer)) throw new Error(`Wrong answer to ${hello.text}: ${answer}`)
      }
      const reply = parse(await client.ask(packages[0].text))
      if (!isDeepStrictEqual(reply, packages[0].reply)) {
        throw new Error(`Wrong reply: ${JSON.stringify(reply)} instead of ${JSON.stringify(packages[0].reply)}`)
      }
      if (i > 0) continue
      for (const probe of workload.probes) {
        const refusal = parse(await client.ask(probe.text))
        if (!probe.matches(refusal)) throw new Error(`Wrong reply to ${probe.text}: ${JSON.stringify(refusal)}`)
      }
    }
  }

  /**
   * Sends for `seconds`, at most `maxMessages`, then waits for what is under way: when this resolves, every package has its reply.
   *
   * @returns {Promise<{ messages: number, seconds: number }>}
   */
  async run(seconds, maxMessages) {
    if (this.#failure !== null) throw this.#failure
    const first = this.inFlight * this.clients.length
    this.#left = Math.max(0, maxMessages - first)
    this.#open = first
    this.#done = 0
    const finished = new Promise((resolve, reject) => {
      this.#finish = { resolve, reject }
    })
    const stop = setTimeout(() => {
      this.#left = 0
    }, seconds * 1000)
    const cut = setTimeout(() => this.failed(new Error('Replies are missing')), seconds * 1000 + waitLimitMs)
    const started = performance.now()
    for (const client of this.clients) client.start()
    try {
      await finished
    } finally {
      clearTimeout(stop)
      clearTimeout(cut)
      for (const client of this.clients) client.pause()
    }
    return { messages: this.#done, seconds: (performance.now() - started) / 1000 }
  }

  replied(client, count) {
    this.#done += count
    const again = Math.min(count, this.#left)
    this.#left -= again
    this.#open -= count - again
    if (again > 0) client.send(again)
    if (this.#open === 0) this.#finish?.resolve()
    else if (this.#open < 0) this.failed(new Error('More replies than packages'))
  }

  failed(error) {
    this.#failure ??= error
    this.#finish?.reject(error)
  }

  close() {
    for (const client of this.clients) client.close()
    this.clients = []
  }
}

/** The head of an upgrade and, for one that shows a token, the frame behind it; null while they are not whole. */
function readOpening(bytes, isGreeted) {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return null
  const head = bytes.toString('latin1', 0, end)
  if (!isGreeted || !head.startsWith('HTTP/1.1 101')) return { head, greeting: '' }
  const greeting = readFrame(bytes.subarray(end + 4))
  return greeting === null ? null : { head, greeting }
}
