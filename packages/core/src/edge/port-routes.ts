import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { type Schema, toIssues } from '../base/schema.ts'
import type { InputReader } from '../call/compiled-route.ts'
import { type AppError, coreError, DeadlineExceededError, ValidationError } from '../errors/app-error.ts'
import { toAppError } from '../errors/normalize.ts'
import { compileInput } from '../route/input.ts'
import { parsePattern } from '../route/path-pattern.ts'
import { parseQuery } from '../route/query.ts'
import { compileWireInput } from '../route/wire-input.ts'
import { toErrorBody } from './error-response.ts'

export interface PortRoutesOptions {
  readonly log: Logger
  readonly clock: Clock
  /** Of `host.describe()`: what happens to keys of a query that an input does not have. Default `validate`. */
  readonly unknownKeys?: 'validate' | 'ignore'
  /** How long an answer may take, in milliseconds. Default 30,000. */
  readonly deadlineMs?: number
}

/** Reads what is answered, as JSON. `signal` is aborted when the client has disconnected, and at the deadline. */
export type ReadAnswer<Input> = (input: Input, signal: AbortSignal) => Promise<object>

interface PortRoute {
  readonly segments: readonly (string | null)[]
  readonly parameters: readonly string[]
  readonly readInput: InputReader
  readonly answer: (input: unknown, signal: AbortSignal) => Promise<object>
}

/**
 * GET routes of an {@link openEndpointPort}, with inputs, answers and errors as the same routes have on the app. They are not calls of the app: its
 * hooks, guards and limits do not see them.
 *
 * @example
 * const routes = new PortRoutes({ log: host.log, clock: host.clock })
 * routes.get('/jobs/:id', v.strictObject({ id: v.number() }), async ({ id }) => ({ id, state: 'done' }))
 * await openEndpointPort({
 *   owner: 'jobs()', host: '127.0.0.1', port: 9470, clock: host.clock,
 *   answer: (request, response) => routes.answer(request, response),
 * })
 */
export class PortRoutes {
  readonly #routes: PortRoute[] = []
  readonly #options: PortRoutesOptions

  constructor(options: PortRoutesOptions) {
    this.#options = options
  }

  /** Path parameters and query are the input. Throws BootError `bad_path`. */
  get<Sent, Input>(path: `/${string}`, input: Schema<Sent, Input>, read: ReadAnswer<Input>): void {
    const { unknownKeys = 'validate' } = this.#options
    const readInput = compileInput({ schema: input, pattern: path, hasBody: false, queryKeys: [], unknownKeys })
    const wire = compileWireInput(input, 'The input')
    const answer = async (given: unknown, signal: AbortSignal): Promise<object> => {
      const checked = await input['~standard'].validate(wire === null ? given : wire.convert(given))
      if (checked.issues !== undefined)
        throw new ValidationError(undefined, (wire?.toIssues ?? toIssues)(checked.issues))
      return read(checked.value, signal)
    }
    const { segments, parameters } = parsePattern(path)
    this.#routes.push({ segments, parameters, readInput, answer })
  }

  /** For `answer` of {@link openEndpointPort}. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    const { log, clock, deadlineMs = 30_000 } = this.#options
    const aborted = new AbortController()
    const isHead = request.method === 'HEAD'
    const timer = clock.timer(deadlineMs, () => {
      aborted.abort()
      refuse(response, new DeadlineExceededError(deadlineMs), log, isHead)
    })
    response.on('close', () => {
      timer.cancel()
      aborted.abort()
    })
    this.#read(request, aborted.signal).then(
      (body) => send(response, 200, body, isHead),
      (thrown: unknown) => {
        const error = toAppError(thrown, [])
        if (error.httpStatus >= 500 && !aborted.signal.aborted)
          log.error({ err: thrown, code: error.code }, 'A request to a port of its own failed')
        refuse(response, error, log, isHead)
      },
    )
  }

  async #read({ url = '', method }: IncomingMessage, signal: AbortSignal): Promise<string> {
    const [path, search] = split(url)
    const found = this.#find(path)
    if (found === null) throw coreError('not_found')
    if (method !== 'GET' && method !== 'HEAD')
      throw coreError('method_not_allowed', undefined, { headers: { allow: 'GET, HEAD' } })
    const query = parseQuery(search)
    if (!query.ok) throw query.error
    const input = found.route.readInput(found.params, query.value, { kind: 'empty' })
    if (!input.ok) throw input.error
    return JSON.stringify(await found.route.answer(input.value, signal))
  }

  #find(path: string): { readonly route: PortRoute; readonly params: Readonly<Record<string, string>> } | null {
    const parts = path.slice(1).split('/').map(decode)
    for (const route of this.#routes) {
      const params = match(route, parts)
      if (params !== null) return { route, params }
    }
    return null
  }
}

/** Null for another path. */
function match(
  { segments, parameters }: PortRoute,
  parts: readonly (string | null)[],
): Readonly<Record<string, string>> | null {
  if (parts.length !== segments.length) return null
  const values: string[] = []
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? ''
    if (segment === null ? part === '' : part !== segment) return null
    if (segment === null) values.push(part)
  }
  return Object.fromEntries(parameters.map((name, index) => [name, values[index] ?? '']))
}

function split(url: string): [string, string] {
  const at = url.indexOf('?')
  return at === -1 ? [url, ''] : [url.slice(0, at), url.slice(at + 1)]
}

/** Null for what is not UTF-8: it is in no path. */
function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}

function refuse(response: ServerResponse, error: AppError, log: Logger, isHead: boolean): void {
  if (response.headersSent) return
  for (const [name, value] of Object.entries(error.headers ?? {})) response.setHeader(name, value)
  send(
    response,
    error.httpStatus,
    toErrorBody(error, null, () => log),
    isHead,
  )
}

function send(response: ServerResponse, status: number, body: string, isHead: boolean): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(isHead ? undefined : body)
}
