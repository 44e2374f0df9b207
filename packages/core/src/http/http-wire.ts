import { isPromise } from '../base/maybe-promise.ts'
import { ActiveCall } from '../call/active-call.ts'
import type { CallServices } from '../call/call-services.ts'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { toCorrelationId } from '../call/correlation.ts'
import { reply } from '../call/reply.ts'
import { type Edge, toIncomingRequest } from '../edge/edge.ts'
import { upgradeRequired } from '../edge/upgrade-required.ts'
import { coreError, DeadlineExceededError, NotFoundError, UnavailableError } from '../errors/app-error.ts'
import type { Identify } from '../plugin/host.ts'
import type { HeaderList, HttpExchange } from '../transport/transport.ts'
import type { Cors } from './cors.ts'
import { clientLeft, HttpRequest } from './http-request.ts'
import type { HttpRouter } from './http-router.ts'
import type { StreamedBody } from './streamed-body.ts'

interface HttpWireOptions {
  readonly services: CallServices
  readonly edge: Edge
  readonly router: HttpRouter<CompiledRoute>
  /** Stands in for the route of a request that none handles, by its method. */
  readonly unmatched: (method: string) => CompiledRoute
  /** Null without an owner of identity. */
  readonly identify: Identify | null
  readonly websocketPath: string
  readonly securityHeaders: (secure: boolean) => HeaderList
  /** Null: pages of other origins read nothing. */
  readonly cors: Cors | null
}

const usualMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/** How long the `onRequest` hooks of a request may take. */
const arriveTimeoutMs = 10_000

/** The second wire: leads requests to their calls. */
export class HttpWire {
  readonly edge: Edge
  readonly securityHeaders: (secure: boolean) => HeaderList
  readonly cors: Cors | null
  /** Calls that did not end within the callback that brought them. */
  readonly running: Set<ActiveCall> = new Set()
  /** Streamed answers that are under way. */
  readonly streams: Set<StreamedBody> = new Set()
  /** From now on requests are answered `unavailable`, but for public endpoints such as health. */
  draining = false
  readonly #options: HttpWireOptions

  constructor(options: HttpWireOptions) {
    this.edge = options.edge
    this.securityHeaders = options.securityHeaders
    this.cors = options.cors
    this.#options = options
  }

  /** Serves one request. */
  request(exchange: HttpExchange): void {
    const request = new HttpRequest(this, exchange, toCorrelationId(exchange.header('x-correlation-id')))
    const refusal = this.edge.refuse(exchange)
    if (refusal !== null) return this.#unmatched(request, (call) => call.fail(refusal))
    try {
      const arrived = this.edge.arrive('http', exchange, request)
      if (isPromise(arrived)) this.#wait(request, arrived)
      else this.#lookUp(request)
    } catch (error) {
      this.#unmatched(request, (call) => call.fail(error))
    }
  }

  /** A hook that asks elsewhere has a time limit, and the drain waits for it. */
  #wait(request: HttpRequest, arrived: Promise<void>): void {
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
      const timer = services.clock.timer(arriveTimeoutMs, () => refuse(new DeadlineExceededError(arriveTimeoutMs)))
      arrived
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
    request.params = match.params
    this.#call(request, match.value)
  }

  /** A browser asks what a page may send: nobody's identity comes with it, and a path that is not there is said by the request itself. */
  #preflight(request: HttpRequest, cors: Cors): boolean {
    const { exchange } = request
    const origin = exchange.header('origin')
    if (origin === '' || exchange.header('access-control-request-method') === '') return false
    const match = this.#options.router.find('OPTIONS', exchange.path)
    const methods = match !== null && 'allow' in match ? match.allow : usualMethods
    request.cors = cors.preflightHeaders(origin, methods)
    this.#unmatched(request, (call) => call.succeed(reply(undefined, { status: 204 })))
    return true
  }

  #call(request: HttpRequest, route: CompiledRoute): void {
    const { services } = this.#options
    const call = new ActiveCall(route, request, services, request.id, null)
    if (services.onCall !== null) services.onCall(call)
    // While onRequest was at work: nothing of the call has to run.
    if (request.exchange.aborted) return call.abandon(clientLeft)
    if (this.draining && !route.servesWhileDraining) return call.fail(new UnavailableError('The server is restarting'))
    this.#identify(request, call)
    if (call.settled) return
    this.running.add(call)
    call.compiled.httpCounter?.inProgress.inc()
    call.armDeadline()
    request.exchange.onAborted(() => call.abandon(clientLeft))
  }

  #identify(request: HttpRequest, call: ActiveCall): void {
    const { identify } = this.#options
    const { compiled } = call
    if (identify === null || compiled.identity === 'none') return compiled.run(call)
    try {
      const identity = identify(toIncomingRequest('http', request.exchange, request))
      if (isPromise(identity)) {
        identity.then(
          (known) => {
            if (call.settled) return
            call.identity = known ?? null
            compiled.run(call)
          },
          (error) => call.fail(error),
        )
        return
      }
      // Nobody is null: an owner that forgets to return must not let anybody in.
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
    return new NotFoundError('No route leads there')
  }

  /** What no route handles is a call too: hooks and instruments see it. */
  #unmatched(request: HttpRequest, answer: (call: ActiveCall) => void): void {
    const { services, unmatched } = this.#options
    const call = new ActiveCall(unmatched(request.exchange.method), request, services, request.id, null)
    if (services.onCall !== null) services.onCall(call)
    // While onRequest was at work: there is nobody to be answered.
    if (request.exchange.aborted) call.abandon(clientLeft)
    else answer(call)
  }
}
