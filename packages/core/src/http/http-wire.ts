import { isPromise } from '../base/maybe-promise.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { CallServices } from '../call/call-services.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { toCorrelationId } from '../call/correlation.ts'
import { reply } from '../call/reply.ts'
import { runInTrace } from '../call/tracer.ts'
import { upgradeRequired } from '../edge/error-response.ts'
import { type RequestPreprocessor, UnreadRequest } from '../edge/request-preprocessor.ts'
import { coreError, DeadlineExceededError, NotFoundError } from '../errors/app-error.ts'
import { RestartingError } from '../errors/restarting-error.ts'
import type { Identify } from '../plugin/host.ts'
import type { HttpExchange } from '../transport/transport.ts'
import type { Cors } from './cors.ts'
import type { EventWire } from './events/event-wire.ts'
import { clientDisconnected, type HttpRequestServices } from './http-answers.ts'
import { HttpRequest } from './http-request.ts'
import type { HttpRouter } from './http-router.ts'
import type { CreateDicer } from './multipart/dicer.ts'
import { ResponseHeads } from './response-heads.ts'
import type { SecurityHeaders } from './security-headers.ts'
import type { StreamedBody } from './streamed-body.ts'

interface HttpWireOptions {
  readonly services: CallServices
  readonly preprocessor: RequestPreprocessor
  readonly router: HttpRouter<CompiledRoute>
  /** The route of requests without one, so that hooks and instruments see them. */
  readonly unmatched: (method: string) => CompiledRoute
  /** Null if no plugin provides identities. */
  readonly identify: Identify | null
  readonly websocketPath: string
  readonly securityHeaders: SecurityHeaders
  readonly events: EventWire
  /** Null: pages of other origins cannot read responses. */
  readonly cors: Cors | null
  readonly createDicer: CreateDicer | null
}

const commonMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** Time limit of the `onRequest` hooks of a request. */
const hooksTimeoutMs = 10_000

/** The HTTP wire: finds the route of a request and runs the call. */
export class HttpWire implements HttpRequestServices {
  readonly preprocessor: RequestPreprocessor
  readonly heads: ResponseHeads
  readonly cors: Cors | null
  readonly events: EventWire
  readonly createDicer: CreateDicer | null
  /** Calls that did not end within the callback that received them. */
  readonly running: Set<ActiveCall> = new Set()
  /** Streamed responses in progress. */
  readonly streams: Set<StreamedBody> = new Set()
  readonly removals: Set<Promise<void>> = new Set()
  readonly #options: HttpWireOptions

  constructor(options: HttpWireOptions) {
    this.preprocessor = options.preprocessor
    this.heads = new ResponseHeads(options.securityHeaders)
    this.cors = options.cors
    this.events = options.events
    this.createDicer = options.createDicer
    this.#options = options
  }

  /** The app is closing: new requests are answered with `unavailable`, except for endpoints such as health. */
  get draining(): boolean {
    return this.events.draining
  }
  set draining(value: boolean) {
    this.events.draining = value
  }

  /** Handles one request. */
  request(exchange: HttpExchange): void {
    const request = new HttpRequest(this, exchange, toCorrelationId(exchange.header('x-correlation-id')))
    const refusal = this.preprocessor.check(exchange)
    if (refusal !== null) return this.#unmatched(request, (call) => call.fail(refusal))
    try {
      const hooks = this.preprocessor.runHooks('http', exchange, request)
      if (isPromise(hooks)) this.#wait(request, hooks)
      else this.#lookUp(request)
    } catch (error) {
      this.#unmatched(request, (call) => call.fail(error))
    }
  }

  /** Asynchronous hooks have a time limit, and the drain waits for them. */
  #wait(request: HttpRequest, hooks: Promise<void>): void {
    const { services } = this.#options
    const answered = new Promise<void>((resolve) => {
      let waiting = true
      const finish = (next: () => void): void => {
        if (!waiting) return
        waiting = false
        timer.cancel()
        next()
        resolve()
      }
      const refuse = (error: unknown): void => finish(() => this.#unmatched(request, (call) => call.fail(error)))
      const timer = services.clock.timer(hooksTimeoutMs, () => refuse(new DeadlineExceededError(hooksTimeoutMs)))
      hooks
        .then(() => finish(() => this.#lookUp(request)), refuse)
        .catch((error: unknown) => services.log.error({ err: error }, 'A request failed'))
    })
    services.track(answered)
  }

  #lookUp(request: HttpRequest): void {
    const { exchange } = request
    if (this.cors !== null && exchange.method === 'OPTIONS' && this.#preflight(request, this.cors)) return
    const match = this.#options.router.find(exchange.method, exchange.path)
    if (match === null) return this.#unmatched(request, (call) => call.fail(this.#notFound(exchange)))
    if ('error' in match) return this.#unmatched(request, (call) => call.fail(match.error))
    if ('allow' in match) {
      const headers = { allow: match.allow.join(', ') }
      if (exchange.method === 'OPTIONS')
        return this.#unmatched(request, (call) => call.succeed(reply(undefined, { status: 204, headers })))
      return this.#unmatched(request, (call) => call.fail(coreError('method_not_allowed', undefined, { headers })))
    }
    // Files may be mounted at `/`, and the socket is not a file.
    if (match.value.info.files && exchange.path === this.#options.websocketPath)
      return this.#unmatched(request, (call) => call.fail(upgradeRequired()))
    request.params = match.params
    this.#call(request, match.value)
  }

  /** A preflight has no credentials and is answered for any path; an unknown path is reported by the request that follows. */
  #preflight(request: HttpRequest, cors: Cors): boolean {
    const { exchange } = request
    const origin = exchange.header('origin')
    if (origin === '' || exchange.header('access-control-request-method') === '') return false
    const methods = this.#options.router.allow(exchange.path)
    request.cors = cors.preflightHeaders(origin, methods.length > 0 ? methods : commonMethods)
    this.#unmatched(request, (call) => call.succeed(reply(undefined, { status: 204 })))
    return true
  }

  #call(request: HttpRequest, route: CompiledRoute): void {
    const { services } = this.#options
    const call = new ActiveCall(route, request, services, request.id, null)
    if (services.onCall !== null) services.onCall(call)
    // The client disconnected while onRequest was running.
    if (request.exchange.aborted) return call.abandon(clientDisconnected)
    if (this.draining && !route.servesWhileDraining) call.fail(new RestartingError())
    else this.#identify(request, call)
    if (call.settled) return
    this.running.add(call)
    call.compiled.httpCounter?.inProgress.inc()
    call.armDeadline()
    request.exchange.onAborted(() => call.abandon(clientDisconnected))
  }

  #identify(request: HttpRequest, call: ActiveCall): void {
    const { identify } = this.#options
    const { compiled } = call
    if (identify === null || compiled.identity === 'none') compiled.run(call)
    else if (call.services.tracer === null) this.#identifyBy(identify, request, call)
    else runInTrace(call, () => this.#identifyBy(identify, request, call))
  }

  #identifyBy(identify: Identify, request: HttpRequest, call: ActiveCall): void {
    const { compiled } = call
    try {
      const identity = identify(new UnreadRequest('http', request.exchange, request))
      if (isPromise(identity)) {
        identity.then(
          (known) => {
            if (call.decided) return
            call.identity = known ?? null
            compiled.run(call)
          },
          (error) => call.fail(error),
        )
        return
      }
      // An `identify` that returns undefined must not admit the caller.
      call.identity = identity ?? null
      compiled.run(call)
    } catch (error) {
      call.fail(error)
    }
  }

  #notFound(exchange: HttpExchange): Error {
    if (exchange.path === this.#options.websocketPath) {
      return upgradeRequired()
    }
    return new NotFoundError('Route not found')
  }

  /** A request without a route is a call too, so that hooks and instruments see it. */
  #unmatched(request: HttpRequest, answer: (call: ActiveCall) => void): void {
    const { services, unmatched } = this.#options
    const call = new ActiveCall(unmatched(request.exchange.method), request, services, request.id, null)
    if (services.onCall !== null) services.onCall(call)
    // The client disconnected while onRequest was running.
    if (request.exchange.aborted) call.abandon(clientDisconnected)
    else answer(call)
  }
}
