import { createServer } from 'node:net'
import { BootError } from '../base/boot-error.ts'
import type { Finding } from '../base/finding.ts'
import type { Machine } from '../base/machine.ts'
import { checkSocketLimits } from './socket-limits.ts'
import type { ListenOptions, Transport, TransportHandlers } from './transport.ts'
import { Unsent } from './unsent.ts'
import { createBehavior } from './uws-connection.ts'
import { examineUws } from './uws-doctor.ts'
import { serveRequest } from './uws-http.ts'
import { type LoadedUws, loadUws, type UwsLoadOptions } from './uws-loader.ts'
import { SpareResponse } from './uws-spare.ts'
import { toTlsFiles, type UwsTlsOptions } from './uws-tls.ts'
import type { UwsApp, UwsBehavior, UwsListenSocket, UwsRoute, UwsTlsFiles } from './uws-types.ts'
import { serveUpgrade } from './uws-upgrade.ts'

export interface UwsOptions extends UwsLoadOptions {
  /** Serve https and wss, and nothing else on that port. Default: plain, for what stands behind a proxy. */
  readonly tls?: UwsTlsOptions
}

/** Serves over uWebSockets.js. The native module is loaded by `listen`. */
export function uws(options: UwsOptions = {}): Transport {
  return new UwsTransport(options)
}

interface Serving {
  readonly loaded: LoadedUws
  readonly app: UwsApp
  /** Null where there is no loopback. */
  readonly spare: SpareResponse | null
  /** Null once it is closed: closing it twice is undefined behaviour (rule 38). */
  listening: UwsListenSocket | null
}

class UwsTransport implements Transport {
  readonly name = 'uws'
  readonly #options: UwsOptions
  readonly #unsent = new Unsent()
  #serving: Serving | null = null
  #starting = false

  constructor(options: UwsOptions) {
    this.#options = options
  }

  async listen(
    options: ListenOptions,
    handlers: TransportHandlers,
  ): Promise<{ port: number; notes: readonly string[]; secure: boolean }> {
    if (this.#serving || this.#starting)
      throw new BootError('wrong_state', 'this transport listens already; call close() first')
    this.#starting = true
    try {
      checkListenOptions(options)
      const { tls } = this.#options
      const files = tls === undefined ? null : toTlsFiles(tls)
      const loaded = loadUws(this.#options)
      const app = files === null ? loaded.module.App() : createTlsApp(loaded, files)
      const spare = await SpareResponse.open(loaded.module)
      route(app, options, handlers, files !== null, this.#unsent, spare)
      const listening = await bind(loaded, app, options).catch((error: unknown) => {
        spare?.close()
        throw error
      })
      this.#serving = { loaded, app, spare, listening }
      const notes = spare === null ? [...loaded.notes, withoutSpare] : loaded.notes
      return { port: loaded.module.us_socket_local_port(listening), notes, secure: files !== null }
    } finally {
      this.#starting = false
    }
  }

  doctor(machine: Machine): readonly Finding[] {
    return examineUws(this.#options, machine)
  }

  stopAccepting(): void {
    const serving = this.#serving
    if (!serving?.listening) return
    const { listening } = serving
    serving.listening = null
    serving.loaded.module.us_listen_socket_close(listening)
  }

  flushed(): Promise<void> {
    return this.#unsent.none()
  }

  async close(): Promise<void> {
    const serving = this.#serving
    if (!serving) return
    this.stopAccepting()
    // First: what it calls back may come here again (rule 29).
    this.#serving = null
    serving.app.close()
    serving.spare?.close()
  }
}

const withoutSpare =
  'this process cannot reach itself at 127.0.0.1: uWebSockets.js will print a line to stderr for each WebSocket whose upgrade had to wait'

function checkListenOptions({ host, port, websocketPath, limits }: ListenOptions): void {
  checkSocketLimits(limits)
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new BootError('bad_option', `port must be a whole number from 0 to 65535, not ${port}`)
  }
  if (host === '') throw new BootError('bad_option', 'host must not be empty; 0.0.0.0 means every IPv4 address')
  // `:` and `*` are patterns to uWS.
  if (!/^\/[^:*?#\s]*$/.test(websocketPath)) {
    throw new BootError(
      'bad_option',
      `the WebSocket path must be a plain path such as /ws, not ${JSON.stringify(websocketPath)}`,
    )
  }
}

function createTlsApp({ module }: LoadedUws, files: UwsTlsFiles): UwsApp {
  if (module.SSLApp === undefined)
    throw new BootError(
      'uws_unavailable',
      'uWebSockets.js cannot be used: this build has no TLS; leave out uws({ tls })',
    )
  try {
    return module.SSLApp(files)
  } catch (cause) {
    const message = 'uWebSockets.js refuses the files of uws({ tls }), which Node accepts: are key and certificate PEM?'
    throw new BootError('bad_option', message, { cause })
  }
}

/**
 * A route of its own for each method, so that a request's method costs nothing; all of them lead to one place (rule
 * 36).
 */
function route(
  app: UwsApp,
  { websocketPath, limits }: ListenOptions,
  handlers: TransportHandlers,
  secure: boolean,
  unsent: Unsent,
  spare: SpareResponse | null,
): void {
  // `fault` is passed on by itself.
  const bound: TransportHandlers = {
    upgrade: (request) => handlers.upgrade(request),
    request: (exchange) => handlers.request(exchange),
    fault: (error) => handlers.fault(error),
  }
  const serve =
    (method: string, usuallyHasBody: boolean): UwsRoute =>
    (res, req) =>
      serveRequest(bound, method, usuallyHasBody, res, req, secure, unsent)
  const upgrade: UwsBehavior['upgrade'] = (res, req, context) =>
    serveUpgrade(bound, res, req, context, secure, unsent, spare)
  const behavior = createBehavior(limits, upgrade)
  // uWS gives its own object to these callbacks; ours differ from it by the properties that `open` sets.
  app.ws(websocketPath, behavior as unknown as UwsBehavior)
  // What has no proper key falls through to these (rule 21).
  app.get('/*', serve('GET', false)).head('/*', serve('HEAD', false)).options('/*', serve('OPTIONS', false))
  app.post('/*', serve('POST', true)).put('/*', serve('PUT', true)).patch('/*', serve('PATCH', true))
  app.del('/*', serve('DELETE', true))
  app.any('/*', (res, req) => serveRequest(bound, req.getCaseSensitiveMethod(), true, res, req, secure, unsent))
}

/** Always exclusively: by default a second server would share the port without a word (rule 37). */
async function bind({ module }: LoadedUws, app: UwsApp, { host, port }: ListenOptions): Promise<UwsListenSocket> {
  const bound = await new Promise<UwsListenSocket | false>((resolve) => {
    app.listen(host, port, module.LIBUS_LISTEN_EXCLUSIVE_PORT, resolve)
  })
  if (bound) return bound
  app.close()
  throw await explainRefusal(host, port)
}

/** uWS says only that it failed. Node, asked for the same, says why. */
function explainRefusal(host: string, port: number): Promise<BootError> {
  return new Promise((resolve) => {
    const taken = new BootError(
      'port_taken',
      `port ${port} of ${host} is taken; stop what listens there, or choose another port`,
    )
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const message = `cannot listen on port ${port} of ${host}: ${error.message}`
      resolve(error.code === 'EADDRINUSE' ? taken : new BootError('bad_option', message, { cause: error }))
    })
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(taken)))
  })
}
