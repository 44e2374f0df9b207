import { SpanKind, type SpanOptions } from '@opentelemetry/api'
import type { Call, RouteInfo } from '@twinwire/core'

/** What a span of one route begins with, for a sampler too. Made once. */
export interface CallName {
  readonly name: string
  readonly options: SpanOptions
}

/** Methods that a name may have: any other is `_OTHER`, so that callers cannot make more names. */
const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'QUERY'])

/** The names of spans of an app, of which there are as many as routes and methods. */
export class CallNames {
  readonly #ofPackages = new Map<RouteInfo, CallName>()
  readonly #ofRequests = new Map<RouteInfo, Map<string, CallName>>()

  of(call: Call): CallName {
    const { route } = call
    if (call.wire === 'ws') {
      const known = this.#ofPackages.get(route)
      if (known !== undefined) return known
      const named = namePackage(route)
      this.#ofPackages.set(route, named)
      return named
    }
    return this.#ofRequest(route, call.method ?? '')
  }

  #ofRequest(route: RouteInfo, requested: string): CallName {
    let byMethod = this.#ofRequests.get(route)
    if (byMethod === undefined) {
      byMethod = new Map()
      this.#ofRequests.set(route, byMethod)
    }
    const known = byMethod.get(requested)
    if (known !== undefined) return known
    const method = methods.has(requested) ? requested : '_OTHER'
    const named = byMethod.get(method) ?? nameRequest(route, method)
    byMethod.set(method, named)
    return named
  }
}

/** https://opentelemetry.io/docs/specs/semconv/rpc/rpc-spans/ */
function namePackage({ name }: RouteInfo): CallName {
  const method = name === 'unmatched' ? '_OTHER' : name
  const attributes = { 'rpc.system.name': 'twinwire', 'rpc.method': method }
  return { name: method, options: { kind: SpanKind.SERVER, attributes } }
}

/** https://opentelemetry.io/docs/specs/semconv/http/http-spans/ */
function nameRequest({ path }: RouteInfo, method: string): CallName {
  const shown = method === '_OTHER' ? 'HTTP' : method
  const attributes = { 'http.request.method': method, ...(path !== null && { 'http.route': path }) }
  return { name: path === null ? shown : `${shown} ${path}`, options: { kind: SpanKind.SERVER, attributes } }
}
