import { BootError } from '../base/boot-error.ts'
import type { Finding } from '../base/finding.ts'
import type { Machine } from '../base/machine.ts'
import { checkListenOptions, pingAfterSeconds } from './socket-limits.ts'
import type { ListenOptions, Transport, TransportHandlers } from './transport.ts'
import { Unsent } from './unsent.ts'
import { toNativeCompression } from './uws-compression.ts'
import { createBehavior } from './uws-connection.ts'
import { examineUws } from './uws-doctor.ts'
import { serveRequest } from './uws-http.ts'
import { type LoadedUws, loadUws, type UwsLoadOptions } from './uws-loader.ts'
import { UwsPings } from './uws-pings.ts'
import { UwsPublications } from './uws-publications.ts'
import type { SpareResponse } from './uws-spare.ts'
import type { UwsTlsOptions } from './uws-tls.ts'
import type { UwsApp, UwsBehavior, UwsListenSocket, UwsRoute, UwsTlsFiles } from './uws-types.ts'
import { serveUpgrade } from './uws-upgrade.ts'

export interface UwsOptions extends UwsLoadOptions {
  /** Serve https and wss, and nothing else on that port. Default: plain http and ws, for a server behind a proxy. */
  readonly tls?: UwsTlsOptions
}

/** Serves over uWebSockets.js. The native module is loaded by `listen`. */
export function uws(options: UwsOptions = {}): Transport {
  return new UwsTransport(options)
}

interface Serving {
  readonly loaded: LoadedUws
  readonly app: UwsApp
  /** Null where loopback cannot be reached, and where no upgrade has to wait. */
  readonly spare: SpareResponse | null
  /** Null once it is closed: closing it twice is undefined behaviour. */
  listening: UwsListenSocket | null
}

class UwsTransport implements Transport {
  readonly name = 'uws'
  readonly canShare = true
  readonly #options: UwsOptions
  readonly #unsent = new Unsent()
  readonly #publications = new UwsPublications()
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
      throw new BootError('wrong_state', 'This transport is already listening: call close() first')
    this.#starting = true
    try {
      checkListenOptions(options)
      const { tls } = this.#options
      // What only some servers need is loaded for them: Node's TLS, and its sockets for the spare response.
      const files = tls === undefined ? null : (await import('./uws-tls.ts')).toTlsFiles(tls)
      const loaded = loadUws(this.#options)
      const app = files === null ? loaded.module.App() : createTlsApp(loaded, files)
      const { upgradesAtOnce = false, compression = null } = options
      if (compression !== null) this.#publications.compressFrom = compression.thresholdBytes
      const spare = upgradesAtOnce ? null : await (await import('./uws-spare.ts')).SpareResponse.open(loaded.module)
      const native = toNativeCompression(loaded.module, compression)
      route(app, options, native, handlers, files !== null, this.#unsent, this.#publications, spare)
      const listening = await bind(loaded, app, options).catch((error: unknown) => {
        spare?.close()
        throw error
      })
      this.#serving = { loaded, app, spare, listening }
      this.#publications.app = app
      const notes = spare === null && !upgradesAtOnce ? [...loaded.notes, withoutSpare] : loaded.notes
      return { port: loaded.module.us_socket_local_port(listening), notes, secure: files !== null }
    } finally {
      this.#starting = false
    }
  }

  get acceptedBytes(): number {
    return this.#publications.acceptedBytes
  }

  publish(topic: string, data: Uint8Array, binary: boolean): void {
    this.#publications.publish(topic, data, binary)
  }

  doctor(machine: Machine): readonly Finding[] {
    return examineUws(this.#options, machine)
  }

  endConnections(): void {
    this.#unsent.ending = true
  }

  stopAccepting(): void {
    const serving = this.#serving
    if (!serving?.listening) return
    this.endConnections()
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
    // First, because `app.close` calls handlers that may call `close` again.
    this.#serving = null
    this.#unsent.ending = false
    this.#publications.app = null
    serving.app.close()
    serving.spare?.close()
  }
}

const withoutSpare =
  'This process cannot connect to itself at 127.0.0.1: uWebSockets.js will print a line to stderr for each WebSocket whose upgrade had to wait'

function createTlsApp({ module }: LoadedUws, files: UwsTlsFiles): UwsApp {
  if (module.SSLApp === undefined)
    throw new BootError(
      'unavailable_transport',
      'uWebSockets.js cannot be used: this build has no TLS: remove uws({ tls }), and terminate TLS at a proxy',
    )
  try {
    return module.SSLApp(files)
  } catch (cause) {
    const message =
      'uWebSockets.js does not accept the files of uws({ tls }), though Node does: check that key and certificate are PEM'
    throw new BootError('bad_option', message, { cause })
  }
}

/** One route per method, so that the method of a request is known without a native call. All of them call `serveRequest`. */
function route(
  app: UwsApp,
  { websocketPath, limits }: ListenOptions,
  compression: number,
  handlers: TransportHandlers,
  secure: boolean,
  unsent: Unsent,
  publications: UwsPublications,
  spare: SpareResponse | null,
): void {
  // `fault` is passed on as a function of its own.
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
    serveUpgrade(bound, res, req, context, secure, unsent, publications, spare)
  const ping = pingAfterSeconds(limits)
  const pings = ping === null || ping.isNative ? null : new UwsPings(ping.seconds, publications)
  const behavior = createBehavior(limits, compression, upgrade, publications, pings)
  // uWS passes its own object to these callbacks; the type adds the properties that `open` sets.
  app.ws(websocketPath, behavior as unknown as UwsBehavior)
  // Upgrades without a valid key arrive at these routes.
  app.get('/*', serve('GET', false)).head('/*', serve('HEAD', false)).options('/*', serve('OPTIONS', false))
  app.post('/*', serve('POST', true)).put('/*', serve('PUT', true)).patch('/*', serve('PATCH', true))
  app.del('/*', serve('DELETE', true))
  app.any('/*', (res, req) => serveRequest(bound, req.getCaseSensitiveMethod(), true, res, req, secure, unsent))
}

/** `LIBUS_LISTEN_DEFAULT`, which the module does not export: several listeners of one user may share the port (SO_REUSEPORT). */
const sharedPort = 0

/** Exclusively, unless the option says otherwise: by default a second server would share the port without an error. */
async function bind(
  { module }: LoadedUws,
  app: UwsApp,
  { host, port, shared }: ListenOptions,
): Promise<UwsListenSocket> {
  const bound = await new Promise<UwsListenSocket | false>((resolve) => {
    app.listen(host, port, shared === true ? sharedPort : module.LIBUS_LISTEN_EXCLUSIVE_PORT, resolve)
  })
  if (bound) return bound
  app.close()
  // uWS reports only that it failed. Node reports the reason for the same port.
  const { probePort, takenPort } = await import('./probe-port.ts')
  throw await probePort(host, port).then(
    () => takenPort(host, port),
    (error: unknown) => error,
  )
}
