import { randomUUID } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import type { UwsApp, UwsListenSocket, UwsModule, UwsResponse } from './uws-types.ts'

/** It takes less than a millisecond, unless something drops what is sent over loopback. */
const timeoutMs = 5000

/**
 * A response that is never written. Upgrades that had to wait run within its cork.
 *
 * uWS prints a line to stderr for each native write outside of a cork. A late upgrade must not run within the cork of its own response
 * (uws-rules.md#upgrades), and while no other response is open there is no other cork. So the transport sends itself one request over
 * loopback, to a separate app that listens until the request has arrived.
 */
export class SpareResponse {
  readonly #app: UwsApp
  readonly #client: Socket
  /** Null once its connection has ended. */
  #res: UwsResponse | null

  private constructor(app: UwsApp, client: Socket, res: UwsResponse) {
    this.#app = app
    this.#client = client
    this.#res = res
    res.onAborted(() => {
      this.#res = null
    })
  }

  /** Null where a process cannot reach itself over loopback. */
  static open(module: UwsModule): Promise<SpareResponse | null> {
    return new Promise((resolve) => {
      const app = module.App()
      const path = `/${randomUUID()}`
      app.listen('127.0.0.1', 0, module.LIBUS_LISTEN_EXCLUSIVE_PORT, (socket) => {
        if (!socket) {
          app.close()
          resolve(null)
          return
        }
        let listening: UwsListenSocket | null = socket
        const client = connect({ host: '127.0.0.1', port: module.us_socket_local_port(socket) })
        const finish = (res: UwsResponse | null): void => {
          // Closing it twice is undefined behaviour.
          if (listening === null) return
          module.us_listen_socket_close(listening)
          listening = null
          client.setTimeout(0)
          if (res !== null) return resolve(new SpareResponse(app, client, res))
          client.destroy()
          app.close()
          resolve(null)
        }
        app.any('/*', (res, req) => {
          // Another process of this machine may have connected to the port.
          if (listening === null || req.getUrl() !== path) res.close()
          else finish(res)
        })
        // It must not keep the process alive.
        client.unref()
        client.setTimeout(timeoutMs, () => finish(null))
        client.on('error', () => finish(null))
        client.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
      })
    })
  }

  /** Runs `run` within the cork; without one when the connection has ended. */
  cork(run: () => void): void {
    if (this.#res === null) run()
    else this.#res.cork(run)
  }

  close(): void {
    this.#client.destroy()
    this.#app.close()
  }
}
