import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { toCorrelationId } from '../call/correlation.ts'
import { ReplyHeaders } from '../call/reply-headers.ts'
import { toErrorBody, toErrorHeaders, upgradeRequired } from '../edge/error-response.ts'
import { isOwnOrigin } from '../edge/origin.ts'
import { noCredentials, packHeaders } from '../edge/packed-headers.ts'
import { type RequestContext, type RequestPreprocessor, toIncomingRequest } from '../edge/request-preprocessor.ts'
import { type AppError, MalformedRequestError, PermissionDeniedError, UnavailableError } from '../errors/app-error.ts'
import { toAppError } from '../errors/normalize.ts'
import { isServerFault, RestartingError } from '../errors/restarting-error.ts'
import type { ControlResult } from '../plugin/control-frames.ts'
import { notifyHooks } from '../plugin/notify-hooks.ts'
import type { Codec } from '../protocol/codec.ts'
import type { HeaderList, UpgradeRequest } from '../transport/transport.ts'
import { WebSocketConnection } from './connection.ts'
import type { ConnectionStatus } from './websocket-instruments.ts'
import type { WebSocketWire } from './wire.ts'

/** The subprotocol that clients may offer, next to one that carries their token. */
const subProtocol = 'twinwire'
/**
 * How long the hooks of an upgrade may take, and how many upgrades may wait for theirs. uWebSockets.js has no time limit for a request
 * that is not answered.
 */
const upgradeTimeoutMs = 10_000
const maxPendingUpgrades = 10_000

interface UpgraderOptions {
  readonly wire: WebSocketWire
  readonly preprocessor: RequestPreprocessor
  readonly codecs: ReadonlyMap<string, Codec>
  readonly defaultCodec: Codec
  readonly securityHeaders: (secure: boolean) => HeaderList
}

/** An upgrade that is neither accepted nor rejected yet. */
class PendingUpgrade implements RequestContext {
  readonly request: UpgradeRequest
  readonly address: string
  readonly #preprocessor: RequestPreprocessor
  #replyHeaders: ReplyHeaders | null = null

  constructor(request: UpgradeRequest, preprocessor: RequestPreprocessor) {
    this.request = request
    this.address = preprocessor.clientAddress(request)
    this.#preprocessor = preprocessor
  }

  get isSecure(): boolean {
    return this.#preprocessor.isSecure(this.request)
  }

  get replyHeaders(): ReplyHeaders {
    this.#replyHeaders ??= new ReplyHeaders()
    return this.#replyHeaders
  }
  get addedHeaders(): HeaderList {
    return this.#replyHeaders?.entries() ?? []
  }
}

/** Accepts or rejects upgrades. */
export class Upgrader {
  readonly #options: UpgraderOptions
  /** For each upgrade that waits for its hooks: a function that rejects it. */
  readonly #pending = new Set<() => void>()

  constructor(options: UpgraderOptions) {
    this.#options = options
  }

  /** No hook runs before an upgrade is accepted, so that none has to wait. */
  get answersAtOnce(): boolean {
    const { wire, preprocessor } = this.#options
    return !preprocessor.hasHooks && wire.handshake?.fromUpgrade === undefined
  }

  /** The app closes: rejects every upgrade that still waits. */
  rejectPending(): void {
    for (const reject of [...this.#pending]) reject()
  }

  upgrade(request: UpgradeRequest): void {
    const { wire, preprocessor } = this.#options
    const pending = new PendingUpgrade(request, preprocessor)
    try {
      const codec = this.#check(pending)
      if (codec === null) {
        const error = new PermissionDeniedError('Connections from this origin are not allowed')
        return this.#reject(pending, error, 'rejected_origin')
      }
      const admission = this.#runHooks(pending)
      if (!isPromise(admission)) return this.#accept(pending, codec, admission)
      this.#wait(pending, admission, (result) => this.#accept(pending, codec, result))
    } catch (error) {
      this.#reject(pending, toAppError(error, wire.services.errorMappers))
    }
  }

  /** Null if the origin may not connect. */
  #check(pending: PendingUpgrade): Codec | null {
    const { request } = pending
    const { wire, preprocessor, codecs, defaultCodec } = this.#options
    if (wire.draining) throw new RestartingError()
    const refusal = preprocessor.check(request) ?? checkHandshake(request)
    if (refusal !== null) throw refusal
    if (!isOriginAllowed(wire.options.origins, pending)) return null
    // Case-insensitive; an empty value counts as not set.
    const { query } = request
    const format = query === '' ? '' : (new URLSearchParams(query).get('format')?.toLowerCase() ?? '')
    const codec = format === '' ? defaultCodec : codecs.get(format)
    if (codec === undefined)
      throw new MalformedRequestError(`The query parameter format must be one of ${[...codecs.keys()].join(', ')}`)
    return codec
  }

  /** Runs the hooks, then checks credentials in the upgrade request. */
  #runHooks(pending: PendingUpgrade): MaybePromise<ControlResult | null> {
    const { wire, preprocessor } = this.#options
    const { request } = pending
    const fromUpgrade = wire.handshake?.fromUpgrade
    const identify = (): MaybePromise<ControlResult | null> =>
      fromUpgrade === undefined ? null : fromUpgrade(toIncomingRequest('ws', request, pending))
    const done = preprocessor.runHooks('ws', request, pending)
    return isPromise(done) ? done.then(identify) : identify()
  }

  #wait(
    pending: PendingUpgrade,
    admission: Promise<ControlResult | null>,
    accept: (result: ControlResult | null) => void,
  ): void {
    const { services } = this.#options.wire
    if (this.#pending.size >= maxPendingUpgrades) {
      admission.catch(() => undefined)
      return this.#reject(pending, new UnavailableError('Too many connections are being opened'))
    }
    let waiting = true
    const finish = (answer: () => void): void => {
      if (!waiting) return
      waiting = false
      this.#pending.delete(reject)
      timer.cancel()
      answer()
    }
    const timer = services.clock.timer(upgradeTimeoutMs, () => {
      finish(() => this.#reject(pending, new UnavailableError('The connection could not be opened in time')))
    })
    const reject = (): void => finish(() => this.#reject(pending, new RestartingError()))
    this.#pending.add(reject)
    pending.request.onAborted(() => finish(() => this.#disconnected()))
    admission
      .then(
        (result) => finish(() => accept(result)),
        (error) => finish(() => this.#reject(pending, toAppError(error, services.errorMappers))),
      )
      .catch((error: unknown) => services.log.error({ err: error }, 'An upgrade failed'))
  }

  #accept(pending: PendingUpgrade, codec: Codec, admission: ControlResult | null): void {
    const { request, address } = pending
    if (request.aborted) return this.#disconnected()
    const { wire } = this.#options
    if (wire.draining) return this.#reject(pending, new RestartingError())
    const headers = packHeaders(request.headers(), wire.handshake?.credentials ?? noCredentials)
    const connection = new WebSocketConnection(wire, { address, headers, query: request.query, codec, admission })
    // Only this name is sent back: the client may have offered its token next to it.
    if (offers(request.header('sec-websocket-protocol'), subProtocol)) request.accept(connection, subProtocol)
    else request.accept(connection)
  }

  /** The client disconnected before its upgrade was accepted or rejected. */
  #disconnected(): void {
    this.#options.wire.instruments.connection('rejected_other')
  }

  #reject(pending: PendingUpgrade, error: AppError, status: ConnectionStatus = statusOf(error)): void {
    const { wire, preprocessor, securityHeaders } = this.#options
    const { request } = pending
    if (error.httpStatus >= 500 && error.cause !== undefined)
      wire.services.log.error({ err: error.cause }, 'An upgrade failed')
    wire.instruments.connection(status)
    const id = toCorrelationId(request.header('x-correlation-id'))
    // Read before the answer, after which the request is no longer readable.
    const incoming = wire.onUpgradeRejected.length === 0 ? null : toIncomingRequest('ws', request, pending)
    const headers: HeaderList = [
      ...securityHeaders(preprocessor.isSecure(request)),
      ['x-correlation-id', id],
      ['content-type', 'application/json'],
      ...toErrorHeaders(error, pending.addedHeaders),
    ]
    request.reject(
      error.httpStatus,
      headers,
      toErrorBody(error, wire.services.errorLink, () => wire.services.log),
    )
    const { code, httpStatus, message } = error
    wire.services.access?.refused(
      { request_id: id, address: pending.address, status_code: httpStatus, code, reason: message },
      isServerFault(httpStatus, error),
    )
    if (incoming === null) return
    notifyHooks(wire.onUpgradeRejected, incoming, error, (thrown) => {
      wire.services.log.error({ err: thrown }, 'An onUpgradeRejected hook failed')
    })
  }
}

/** 16 bytes in base64. */
const handshakeKey = /^[A-Za-z0-9+/]{22}==$/

/** The requirements of RFC 6455 (4.2.1); uWebSockets.js checks only the length of the key. */
function checkHandshake(request: UpgradeRequest): AppError | null {
  if (!hasToken(request.header('upgrade'), 'websocket'))
    return upgradeRequired('The header Upgrade must name websocket')
  if (!hasToken(request.header('connection'), 'upgrade'))
    return upgradeRequired('The header Connection must name Upgrade')
  if (request.header('sec-websocket-version') !== '13') return upgradeRequired('The WebSocket version must be 13')
  if (!handshakeKey.test(request.header('sec-websocket-key')))
    return new MalformedRequestError('Sec-WebSocket-Key must be 16 bytes in base64')
  // The bytes of a body would be read as frames.
  const length = request.header('content-length')
  if ((length !== '' && Number(length) !== 0) || request.header('transfer-encoding') !== '')
    return new MalformedRequestError('A WebSocket handshake must not have a body')
  return null
}

function offers(list: string, protocol: string): boolean {
  return list !== '' && list.split(',').some((each) => each.trim() === protocol)
}

function hasToken(list: string, token: string): boolean {
  return list.split(',').some((each) => each.trim().toLowerCase() === token)
}

function statusOf({ code }: AppError): ConnectionStatus {
  if (code === 'authentication_failed') return 'rejected_auth'
  return code === 'rate_limit_exceeded' ? 'rejected_limit' : 'rejected_other'
}

function isOriginAllowed(origins: WebSocketWire['options']['origins'], pending: PendingUpgrade): boolean {
  const { request } = pending
  const origin = request.header('origin')
  if (origins === null || origin === '') return true
  if (origins !== 'same-host') return origins.includes(origin)
  return isOwnOrigin(origin, request.header('host'), pending.isSecure)
}
