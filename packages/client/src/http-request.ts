import { isFields } from './call-error.ts'
import { toJson, toText } from './json.ts'
import type { ManifestRoute } from './manifest.ts'

/** What `fetch` sends for a call. */
export interface HttpRequest {
  readonly method: string
  /** Path and query. */
  readonly target: string
  /** JSON; undefined for none. */
  readonly body: string | undefined
}

/**
 * Path parameters are filled from the input; the rest is the query or, for a method with a body, the body.
 *
 * @throws TypeError for an input that has no place in the request
 */
export function toHttpRequest(name: string, { http, query = [] }: ManifestRoute, input: unknown): HttpRequest {
  if (http === undefined) throw new TypeError(`${name} is served over WebSocket only: use wire: 'ws'`)
  const [method = '', pattern = ''] = http.split(' ')
  const hasBody = /^P/.test(method)
  if (!isFields(input)) {
    if (/\/[:*]/.test(pattern) || (!hasBody && input !== undefined))
      throw new TypeError(`${name} takes an object over HTTP`)
    return { method, target: pattern, body: input === undefined ? undefined : toJson(input) }
  }
  const rest: Record<string, unknown> = { ...input }
  const search = new URLSearchParams()
  const toPart = (key: string, value: unknown): string => {
    const text = toText(value)
    if (text === undefined) throw new TypeError(`${name}: ${key} has no place in a URL`)
    delete rest[key]
    return text
  }
  const path = pattern.replace(/\/([:*])([^/]*)/g, (_, kind: string, named: string) => {
    const key = named || kind
    const text = encodeURIComponent(toPart(key, input[key]))
    return `/${kind === ':' ? text : text.replaceAll('%2F', '/')}`
  })
  for (const [key, value] of Object.entries(rest)) {
    if (hasBody && !query.includes(key)) continue
    delete rest[key]
    for (const each of [value === undefined ? [] : value].flat()) search.append(key, toPart(key, each))
  }
  const target = `${path}?${search}`.replace(/\?$/, '')
  return { method, target, body: hasBody ? toJson(rest) : undefined }
}
