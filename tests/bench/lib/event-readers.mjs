import { connect } from 'node:net'

const openAtOnce = 100
const waitLimitMs = 20_000
/** Read from all sockets into one buffer, because only the first bytes are looked at. */
const shared = Buffer.alloc(64 * 1024)
const emptyLine = Buffer.from('\n\n')

/** Clients of server-sent events that count them. Each event ends with an empty line. */
export class EventReaders {
  #sockets = []
  #events = 0
  #failure = null
  #wake = null

  /**
   * @param {{ port: number }} server
   * @param {number} count
   * @param {string} path
   */
  async open({ port }, count, path) {
    for (let done = 0; done < count; ) {
      const some = Array.from({ length: Math.min(openAtOnce, count - done) }, () => this.#openOne(port, path))
      this.#sockets.push(...(await Promise.all(some)))
      done += some.length
    }
  }

  /** How many are still open. */
  get size() {
    return this.#sockets.filter((socket) => !socket.destroyed).length
  }

  /** Forgets what has arrived. */
  reset() {
    this.#events = 0
  }

  /** Resolves when so many events have arrived since the last `reset`, of all clients together. */
  async received(events) {
    const end = performance.now() + waitLimitMs
    while (this.#events < events) {
      if (this.#failure !== null) throw this.#failure
      if (performance.now() > end) throw new Error(`${events - this.#events} events are missing`)
      await new Promise((resolve) => {
        this.#wake = resolve
        setTimeout(resolve, 1000)
      })
    }
    if (this.#events > events) throw new Error(`${this.#events - events} more events than were published`)
  }

  close() {
    for (const socket of this.#sockets) socket.removeAllListeners('close').destroy()
    this.#sockets = []
  }

  #openOne(port, path) {
    return new Promise((resolve, reject) => {
      let text = ''
      let isOpen = false
      const fail = (error) => {
        clearTimeout(timer)
        this.#failure ??= error
        reject(error)
      }
      const timer = setTimeout(() => fail(new Error('No answer')), waitLimitMs)
      const read = (length) => {
        if (isOpen) {
          for (let at = shared.indexOf(emptyLine); at !== -1 && at < length; at = shared.indexOf(emptyLine, at + 2)) {
            this.#events++
          }
          shared.fill(0, 0, length)
          this.#wake?.()
          return true
        }
        text += shared.latin1Slice(0, length)
        const end = text.indexOf('\r\n\r\n')
        if (end === -1) return true
        if (!text.startsWith('HTTP/1.1 200') || !/content-type: text\/event-stream/i.test(text))
          fail(new Error(`No events: ${text}`))
        // What comes first is the server's own: a comment, or the time to wait.
        else if (text.length > end + 4 && /\n\n(\r\n)?$/.test(text)) {
          isOpen = true
          clearTimeout(timer)
          resolve(socket)
        }
        return true
      }
      const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: shared, callback: read } })
      socket.on('error', fail)
      socket.on('close', () => fail(new Error('The server has closed a connection that reads')))
      socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`)
    })
  }
}
