import { connect } from 'node:net'
import { createHandshake } from './frames.mjs'

const openAtOnce = 100
const waitLimitMs = 20_000
const shared = Buffer.alloc(64 * 1024)

/** Connections that are open, and send nothing. */
export class IdleConnections {
  #sockets = []

  /**
   * @param {{ port: number, tokens: readonly string[] }} server
   * @param {number} count
   * @param {string} path
   */
  async open({ port, tokens }, count, path) {
    for (let done = 0; done < count; ) {
      const some = Array.from({ length: Math.min(openAtOnce, count - done) }, (_, i) => {
        const token = tokens.length === 0 ? null : tokens[(done + i) % tokens.length]
        return openOne(port, path, token)
      })
      this.#sockets.push(...(await Promise.all(some)))
      done += some.length
    }
  }

  /** How many are still open. */
  get size() {
    return this.#sockets.filter((socket) => !socket.destroyed).length
  }

  close() {
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets = []
  }
}

/** Resolves once it is open; with a token, once that is accepted. */
function openOne(port, path, token) {
  return new Promise((resolve, reject) => {
    const { request, accept } = createHandshake(port, path, token)
    let text = ''
    const fail = (error) => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    const timer = setTimeout(() => fail(new Error('No answer')), waitLimitMs)
    const read = (length) => {
      text += shared.latin1Slice(0, length)
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return true
      if (!text.startsWith('HTTP/1.1 101') || !text.includes(accept)) fail(new Error(`No upgrade: ${text}`))
      else if (token === null || text.includes('auth_ok')) {
        clearTimeout(timer)
        resolve(socket)
      } else if (text.length > end + 8) fail(new Error(`Handshake rejected: ${text.slice(end + 4)}`))
      return true
    }
    const socket = connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: shared, callback: read } })
    socket.on('error', fail)
    socket.write(request)
  })
}
