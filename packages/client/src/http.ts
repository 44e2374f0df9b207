import { CallError, fieldsOf, identityChanged, isFields, timeout, toCallError } from './call-error.ts'
import { toHttpRequest } from './http-request.ts'
import { toBase64 } from './json.ts'
import { readEvents } from './server-sent-events.ts'
import { connectionLost } from './session.ts'
import { subjectOf, type Tokens } from './tokens.ts'
import type { WireCall } from './wire-call.ts'

interface HttpOptions {
  readonly url: string
  readonly fetch: typeof globalThis.fetch
  readonly tokens: Tokens
  /** Changes when another user signs in. */
  readonly epoch: () => number
}

/** A call that runs. */
interface Running extends WireCall {
  readonly accept: string
  readonly signal: AbortSignal
  wasSent: boolean
  /** The answer to an attempt was lost. */
  wasLost?: boolean
}

/** Delay of the first repetition of a call that may be repeated. */
const retryMs = 200

/** Calls over HTTP. */
export class HttpWire {
  readonly #options: HttpOptions

  constructor(options: HttpOptions) {
    this.#options = options
  }

  /** @throws CallError */
  call(call: WireCall): Promise<unknown> {
    return this.#run(call, 'application/json', readValue)
  }

  /** The response itself: the deadline is that of its head. @throws CallError for an error answer */
  fetch(call: WireCall): Promise<Response> {
    return this.#run(call, '*/*', (response) => response)
  }

  /** The items of a streamed reply. */
  async *stream(call: WireCall): AsyncGenerator<unknown, void, undefined> {
    const response = await this.#run(call, 'text/event-stream', (head) => head)
    try {
      for await (const { type, data } of readEvents(response)) {
        if (type === 'end') return
        const item: unknown = JSON.parse(data)
        if (type === 'error') throw toCallError(fieldsOf(item).error)
        yield item
      }
    } catch (error) {
      call.signal?.throwIfAborted()
      throw error instanceof CallError ? error : connectionLost()
    }
    throw connectionLost()
  }

  async #run<T>(call: WireCall, accept: string, read: (response: Response) => T | Promise<T>): Promise<T> {
    const controller = new AbortController()
    const running: Running = { ...call, accept, signal: controller.signal, wasSent: false }
    const { signal, timeoutMs } = call
    const abort = (): void => controller.abort(signal?.reason)
    signal?.throwIfAborted()
    // It stays for bodies that are read later.
    signal?.addEventListener('abort', abort)
    const aborted = new Promise<never>((_, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason))
    })
    const timer = setTimeout(() => controller.abort(timeout(timeoutMs, running.wasSent)), timeoutMs)
    try {
      return await Promise.race([this.#request(running).then(read), aborted])
    } finally {
      clearTimeout(timer)
      if (read === readValue) signal?.removeEventListener('abort', abort)
    }
  }

  /** A `once()` route is requested again, with the same key, after a lost connection. */
  async #request(running: Running): Promise<Response> {
    const begun = this.#options.epoch()
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await checked(await this.#attempt(running, begun), running.wasLost)
      } catch (error) {
        if (fieldsOf(error).code !== 'connection_lost' || !running.route.once || running.signal.aborted) throw error
        running.wasLost = true
        await new Promise((resolve) => setTimeout(resolve, retryMs * 2 ** attempt))
      }
    }
  }

  /** A token that the server rejects is renewed once: the call was not executed, unless by an attempt before. */
  async #attempt(running: Running, begun: number): Promise<Response> {
    const { tokens, epoch } = this.#options
    const token = await tokens.get()
    if (epoch() !== begun) throw identityChanged(running.wasSent)
    const response = await this.#send(running, token)
    if (response.status !== 401 || token === null) return response
    const renewed = await tokens.get(token)
    if (renewed === null || renewed === token) return response
    if (epoch() !== begun || subjectOf(renewed) !== subjectOf(token)) throw identityChanged(running.wasLost)
    await response.body?.cancel()
    return this.#send(running, renewed)
  }

  async #send(running: Running, token: string | null): Promise<Response> {
    const { accept, signal, name, route, input, reqId, traceparent } = running
    // Without an object of its own: the one of a browser would refuse it.
    const { fetch, url } = this.#options
    const { method, target, body = null } = toHttpRequest(name, route, input)
    signal.throwIfAborted()
    running.wasSent = true
    const headers = {
      accept,
      'x-correlation-id': reqId,
      ...(body !== null && { 'content-type': 'application/json' }),
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(traceparent && { traceparent }),
      ...(route.once && { 'idempotency-key': reqId }),
    }
    return unlessLost(fetch(url + target, { method, headers, signal, body }))
  }
}

/** @throws CallError for an error answer */
async function checked(response: Response, wasLost?: boolean): Promise<Response> {
  const { ok, status, headers } = response
  if (ok) return response
  // A date is not read.
  const retryAfterMs = Number(headers.get('retry-after')) * 1000 || null
  const { error } = fieldsOf(parse(await unlessLost(response.text())))
  if (isFields(error)) throw toCallError(error, wasLost, retryAfterMs)
  // A proxy has answered, not the server.
  throw new CallError(status > 501 ? 'unavailable' : 'malformed_answer', `HTTP ${status}`, {
    retryAfterMs,
    outcomeUnknown: wasLost || status >= 500,
  })
}

/** What the same call returns over WebSocket. */
async function readValue(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? ''
  if (!/^(application\/json|text\/|$)/.test(type))
    return toBase64(new Uint8Array(await unlessLost(response.arrayBuffer())))
  const text = await unlessLost(response.text())
  const value = type.startsWith('text/') ? text : text === '' ? null : parse(text)
  if (value === undefined) throw new CallError('malformed_answer', 'Not JSON', { outcomeUnknown: true })
  return value
}

/** Undefined for what is not JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** `fetch` has a TypeError for a network that fails. */
function unlessLost<T>(promise: Promise<T>): Promise<T> {
  return promise.catch(() => Promise.reject(connectionLost()))
}
