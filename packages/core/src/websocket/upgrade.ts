import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { toCorrelationId } from '../call/correlation.ts'
import { ReplyHeaders } from '../call/reply-headers.ts'
import { type Arriving, type Edge, toIncomingRequest } from '../edge/edge.ts'
import { toErrorBody, toErrorHeaders } from '../edge/error-body.ts'
import { upgradeRequired } from '../edge/upgrade-required.ts'
import { type AppError, MalformedRequestError, PermissionDeniedError, UnavailableError } from '../errors/app-error.ts'
import { toAppError } from '../errors/normalize.ts'
import type { ControlResult, IncomingRequest } from '../plugin/host.ts'
import type { Codec } from '../protocol/codec.ts'
import type { HeaderList, UpgradeRequest } from '../transport/transport.ts'
import { WebSocketConnection } from './connection.ts'
import type { ConnectionStatus } from './websocket-instruments.ts'
import type { WebSocketWire } from './wire.ts'

/** The sub-protocol that clients may name, beside one that carries their token. */
const subProtocol = 'twinwire'
/** How long the hooks of an upgrade may take, and how many upgrades may wait for theirs (rule 19). */
const upgradeTimeoutMs = 10_000
const maxPendingUpgrades = 10_000

interface UpgraderOptions {
  readonly wire: WebSocketWire
  readonly edge: Edge
  readonly codecs: ReadonlyMap<string, Codec>
  readonly defaultCodec: Codec
  readonly securityHeaders: (secure: boolean) => HeaderList
}

/** An upgrade on its way to become a connection, or to be refused. */
class Attempt implements Arriving {
  readonly request: UpgradeRequest
  readonly address: string
  #replyHeaders: ReplyHeaders | null = null

  constructor(request: UpgradeRequest, address: string) {
    this.request = request
    this.address = address
  }

  get replyHeaders(): ReplyHeaders {
    this.#replyHeaders ??= new ReplyHeaders()
    return this.#replyHeaders
  }
  get addedHeaders(): HeaderList {
    return this.#replyHeaders?.entries() ?? []
  }
}

/** Decides which upgrades become connections. */
export class Upgrader {
  readonly #options: UpgraderOptions
  /** Of each upgrade that waits for its hooks: what refuses it. */
  readonly #pending = new Set<() => void>()

  constructor(options: UpgraderOptions) {
    this.#options = options
  }

  /** The app closes: no upgrade that still waits may become a connection. */
  refusePending(): void {
    for (const refuse of [...this.#pending]) refuse()
  }

  upgrade(request: UpgradeRequest): void {
    const { wire, edge } = this.#options
    const attempt = new Attempt(request, edge.address(request))
    try {
      const codec = this.#check(request)
      if (codec === null) {
        const error = new PermissionDeniedError('Connections from this origin are not allowed')
        return this.#reject(attempt, error, 'rejected_origin')
      }
      const admission = this.#arrive(attempt)
      if (!isPromise(admission)) return this.#accept(attempt, codec, admission)
      this.#wait(attempt, admission, (result) => this.#accept(attempt, codec, result))
    } catch (error) {
      this.#reject(attempt, toAppError(error, wire.services.errorMappers))
    }
  }

  /** Null for an origin that may not connect. */
  #check(request: UpgradeRequest): Codec | null {
    const { wire, edge, codecs, defaultCodec } = this.#options
    if (wire.draining) throw new UnavailableError('The server is restarting')
    const refusal = edge.refuse(request) ?? refuseHandshake(request)
    if (refusal !== null) throw refusal
    if (!isOriginAllowed(wire.options.origins, request)) return null
    // In any case; an empty one says nothing.
    const format = new URLSearchParams(request.query).get('format')?.toLowerCase() ?? ''
    const codec = format === '' ? defaultCodec : codecs.get(format)
    if (codec === undefined)
      throw new MalformedRequestError(`The format must be one of ${[...codecs.keys()].join(', ')}`)
    return codec
  }

  /** The hooks, then credentials that came with the upgrade itself. */
  #arrive(attempt: Attempt): MaybePromise<ControlResult | null> {
    const { wire, edge } = this.#options
    const { request } = attempt
    const fromUpgrade = wire.handshake?.fromUpgrade
    const identify = (): MaybePromise<ControlResult | null> =>
      fromUpgrade === undefined ? null : fromUpgrade(toIncomingRequest('ws', request, attempt))
    const arrived = edge.arrive('ws', request, attempt)
    return isPromise(arrived) ? arrived.then(identify) : identify()
  }

  #wait(
    attempt: Attempt,
    admission: Promise<ControlResult | null>,
    accept: (result: ControlResult | null) => void,
  ): void {
    const { services } = this.#options.wire
    if (this.#pending.size >= maxPendingUpgrades) {
      admission.catch(() => undefined)
      return this.#reject(attempt, new UnavailableError('Too many connections are being opened'))
    }
    let waiting = true
    const done = (answer: () => void): void => {
      if (!waiting) return
      waiting = false
      this.#pending.delete(refuse)
      timer.cancel()
      answer()
    }
    const timer = services.clock.timer(upgradeTimeoutMs, () => {
      done(() => this.#reject(attempt, new UnavailableError('The connection could not be opened in time')))
    })
    const refuse = (): void => done(() => this.#reject(attempt, new UnavailableError('The server is restarting')))
    this.#pending.add(refuse)
    attempt.request.onAborted(() => done(() => this.#left()))
    admission
      .then(
        (result) => done(() => accept(result)),
        (error) => done(() => this.#reject(attempt, toAppError(error, services.errorMappers))),
      )
      .catch((error: unknown) => services.log.error({ err: error }, 'An upgrade failed'))
  }

  #accept(attempt: Attempt, codec: Codec, admission: ControlResult | null): void {
    const { request, address } = attempt
    if (request.aborted) return this.#left()
    const { wire } = this.#options
    if (wire.draining) return this.#reject(attempt, new UnavailableError('The server is restarting'))
    const { headers, query } = toIncomingRequest('ws', request, attempt)
    const connection = new WebSocketConnection(wire, { address, headers, query, codec, admission })
    const offered = request
      .header('sec-websocket-protocol')
      .split(',')
      .map((each) => each.trim())
    // Only its own name is echoed: a token offered beside it must not come back (rule 20).
    if (offered.includes(subProtocol)) request.accept(connection, subProtocol)
    else request.accept(connection)
  }

  /** The client went away before its upgrade was decided. */
  #left(): void {
    this.#options.wire.instruments.connection('rejected_other')
  }

  #reject(attempt: Attempt, error: AppError, status: ConnectionStatus = statusOf(error)): void {
    const { wire, edge, securityHeaders } = this.#options
    const { request } = attempt
    if (error.httpStatus >= 500 && error.cause !== undefined)
      wire.services.log.error({ err: error.cause }, 'An upgrade failed')
    wire.instruments.connection(status)
    const arrival = wire.onUpgradeRejected.length === 0 ? null : toIncomingRequest('ws', request, attempt)
    const headers: HeaderList = [
      ...securityHeaders(edge.secure(request)),
      ['x-correlation-id', toCorrelationId(request.header('x-correlation-id'))],
      ['content-type', 'application/json'],
      ...toErrorHeaders(error, attempt.addedHeaders),
    ]
    request.reject(
      error.httpStatus,
      headers,
      toErrorBody(error, () => wire.services.log),
    )
    if (arrival !== null) this.#tell(arrival, error)
  }

  #tell(arrival: IncomingRequest, error: AppError): void {
    const { wire } = this.#options
    const failed = (thrown: unknown): void =>
      wire.services.log.error({ err: thrown }, 'An onUpgradeRejected hook failed')
    for (const hook of wire.onUpgradeRejected) {
      try {
        const result: unknown = hook(arrival, error)
        if (isPromise(result)) result.then(undefined, failed)
      } catch (thrown) {
        failed(thrown)
      }
    }
  }
}

/** 16 bytes in base64. */
const handshakeKey = /^[A-Za-z0-9+/]{22}==$/

/** What RFC 6455 (4.2.1) asks of a handshake; uWS looks at nothing but the length of the key. */
function refuseHandshake(request: UpgradeRequest): AppError | null {
  if (!hasToken(request.header('upgrade'), 'websocket'))
    return upgradeRequired('The header Upgrade must name websocket')
  if (!hasToken(request.header('connection'), 'upgrade'))
    return upgradeRequired('The header Connection must name Upgrade')
  if (request.header('sec-websocket-version') !== '13') return upgradeRequired('The WebSocket version must be 13')
  if (!handshakeKey.test(request.header('sec-websocket-key')))
    return new MalformedRequestError('Sec-WebSocket-Key must be 16 bytes in base64')
  // Its bytes would be taken for frames.
  const length = request.header('content-length')
  if ((length !== '' && Number(length) !== 0) || request.header('transfer-encoding') !== '')
    return new MalformedRequestError('A WebSocket handshake must not have a body')
  return null
}

function hasToken(list: string, token: string): boolean {
  return list.split(',').some((each) => each.trim().toLowerCase() === token)
}

function statusOf({ code }: AppError): ConnectionStatus {
  if (code === 'authentication_failed') return 'rejected_auth'
  return code === 'rate_limit_exceeded' ? 'rejected_limit' : 'rejected_other'
}

function isOriginAllowed(origins: WebSocketWire['options']['origins'], request: UpgradeRequest): boolean {
  const origin = request.header('origin')
  if (origins === null || origin === '') return true
  if (origins !== 'same-host') return origins.includes(origin)
  return URL.canParse(origin) && new URL(origin).host === request.header('host').toLowerCase()
}
