import { BootError } from '../base/boot-error.ts'
import { toValibot } from '../base/valibot.ts'
import type { RouteInfo } from '../call/call.ts'
import type { AnswerCompression, CompiledHttp, IdentityPolicy } from '../call/compiled-route.ts'
import { compileInput } from './input.ts'
import { toMultipartLimits } from './multipart-limits.ts'
import { pathParameters } from './path-pattern.ts'
import type { RouteDefinition } from './route.ts'
import { hasBody } from './route-definition.ts'

/** What the HTTP side of a route needs from the app. */
export interface HttpContext {
  readonly maxBodyBytes: number
  /** Null: no answer is compressed. */
  readonly compression: AnswerCompression | null
  readonly unknownKeys: 'validate' | 'ignore'
}

/** Its input is built by core: no schema describes it. */
export function isMount({ isFetch, files }: RouteDefinition): boolean {
  return isFetch || files !== null
}

/**
 * Compiles the HTTP side of a route; null for one that is on WebSocket only.
 *
 * @throws BootError `bad_route`, `unused_path_parameter`, `bad_option`
 */
export function compileHttp(
  info: RouteInfo,
  definition: RouteDefinition,
  { maxBodyBytes, compression, unknownKeys }: HttpContext,
  identity: IdentityPolicy,
): CompiledHttp | null {
  const { http, input } = definition
  if (http === null || info.path === null || info.method === null) return null
  const raw = http.body === 'raw'
  if (definition.files !== null && info.pkgId !== null)
    throw new BootError('bad_route', `Route ${info.name} serves files, which cannot be packages: move it to endpoints`)
  const isMultipart = http.body === 'multipart'
  const streamed = http.body === 'stream' || isMultipart
  if ((raw || streamed) && info.pkgId !== null) {
    const body = http.body === 'stream' ? 'streamed' : http.body
    const what = definition.isFetch ? 'mounts a fetch handler with fromFetch' : `takes a ${body} body`
    throw new BootError('bad_route', `Route ${info.name} ${what}, which cannot be a package: move it to endpoints`)
  }
  if (streamed) checkStreamedBody(info, definition)
  if (!isMount(definition)) checkParameters(info, info.path, definition)
  const maxBytes = http.maxBodyBytes ?? maxBodyBytes
  return {
    input: compileInput({
      schema: input,
      pattern: info.path,
      hasBody: hasBody(http) && http.body !== 'stream',
      queryKeys: http.query ?? [],
      overrides: http.params ?? {},
      map: http.input,
      unknownKeys,
    }),
    hasBody: hasBody(http) && !streamed,
    ignoresBody: input === null && http.input === undefined,
    raw,
    isFetch: definition.isFetch,
    filesPrefix: definition.files?.prefix ?? null,
    maxBodyBytes: maxBytes,
    streamed: streamed ? { maxBytes, timeoutMs: http.bodyTimeoutMs ?? defaultBodyTimeoutMs } : null,
    multipart: isMultipart ? toMultipartLimits(`Route ${info.name}`, http.files ?? {}, maxBytes) : null,
    status: http.status ?? null,
    contentType: http.contentType ?? null,
    // What is compressed shows by its length how much of what was sent resembles what is secret, which an answer to a known caller may hold.
    compression: (http.compression ?? identity === 'none') ? compression : null,
  }
}

/** Of a streamed body, `http.bodyTimeoutMs`. */
export const defaultBodyTimeoutMs = 30_000

/** What was read of it does not come again. */
function checkStreamedBody({ name }: RouteInfo, { use }: RouteDefinition): void {
  const repeating = use.find((step) => step.kind === 'interceptor' && step.mayRepeat)
  if (repeating !== undefined)
    throw new BootError(
      'bad_route',
      `Route ${name} streams its body, which can be read once, and its interceptor '${repeating.name}' may run the handler again: remove its retries`,
    )
}

/** The types check a path that is a literal; this also checks a computed one, where the structure of the schema is known. */
function checkParameters(info: RouteInfo, path: string, { http, input }: RouteDefinition): void {
  const structure = input === null ? null : toValibot(input)
  const isObject = structure?.type === 'object' || structure?.type === 'strict_object'
  if (input !== null && (!isObject || structure.entries === undefined)) return
  const keys = Object.keys(structure?.entries ?? {})
  const unused = pathParameters(path).find((parameter) => !keys.includes(parameter))
  if (unused !== undefined)
    throw new BootError(
      'unused_path_parameter',
      `Route ${info.name}: the path ${path} has the parameter '${unused}', which is not a key of the input: add it to the input, or remove it from the path`,
    )
  // A custom mapping accepts any key.
  if (http === null || http.input !== undefined) return
  for (const option of ['query', 'params'] as const) {
    const names = option === 'query' ? (http.query ?? []) : Object.keys(http.params ?? {})
    const unknown = names.find((name) => !keys.includes(name))
    if (unknown !== undefined)
      throw new BootError(
        'bad_route',
        `Route ${info.name}: http.${option} has '${unknown}', which is not a key of the input: correct it, or add it to the input`,
      )
  }
}
