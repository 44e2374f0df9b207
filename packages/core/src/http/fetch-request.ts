import type { ActiveCall } from '../call/active-call.ts'
import { connectionFields } from '../call/connection-fields.ts'
import { IncomingBody, type StreamedBodyLimits } from '../call/request-body.ts'
import { coreError, MalformedRequestError, PayloadTooLargeError } from '../errors/app-error.ts'
import type { HttpExchange } from '../transport/transport.ts'

/** What the Request constructor takes in capitals only, or not at all. */
const usualMethods = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT']
const refusedMethods: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK'])
const usual: ReadonlySet<string> = new Set(usualMethods)

/** RFC 9110, 5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const host = /^(?:[\w.-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** Characters that a URL loses: it drops line breaks and tabs, trims, and ends at `#`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it matches control characters
const lostInUrl = /[\u0000-\u0020#]/g

/**
 * Node's Request has its AbortController behind a weak reference: without this a handler that keeps only `request.signal` might never see
 * its abort.
 */
const kept = new WeakMap<ActiveCall, Request>()

/**
 * The request as a fetch handler gets it. `secure`: the client uses TLS, as core reads it behind trusted proxies.
 *
 * @throws AppError for a request that a `Request` cannot be.
 */
export function toFetchRequest(
  exchange: HttpExchange,
  secure: boolean,
  call: ActiveCall,
  limits: StreamedBodyLimits,
): Request {
  const { method } = exchange
  if (!token.test(method)) throw new MalformedRequestError('The method is not a token')
  const inCapitals = method.toUpperCase()
  if (refusedMethods.has(inCapitals) || (!usual.has(method) && usual.has(inCapitals)))
    throw coreError('method_not_allowed', undefined, { headers: { allow: usualMethods.join(', ') } })
  const name = exchange.header('host')
  if (!host.test(name)) throw new MalformedRequestError('The Host header is not a host name')
  const url = `${secure ? 'https' : 'http'}://${name}${toUrlPart(exchange.path)}${exchange.query === '' ? '' : `?${toUrlPart(exchange.query)}`}`
  if (!URL.canParse(url)) throw new MalformedRequestError('The Host header is not a host name')
  // The constructor takes none for GET and HEAD: one that was sent is dropped by the transport.
  const reader = method === 'GET' || method === 'HEAD' ? null : exchange.openBody(limits.maxBytes)
  if (reader?.length && reader.length > limits.maxBytes) throw new PayloadTooLargeError(limits.maxBytes)
  const body = reader === null || reader.length === 0 ? null : new IncomingBody(call, reader, '', limits)
  // Not written in place: the DOM's RequestInit does not know `duplex`, which a streamed body needs.
  const init = {
    method,
    headers: toHeaders(exchange.headers(), body !== null),
    signal: call.signal,
    body: body === null ? null : toStream(body),
    duplex: 'half' as const,
  }
  const request = new Request(url, init)
  kept.set(call, request)
  return request
}

function toUrlPart(text: string): string {
  return text.replace(lostInUrl, (character) => encodeURIComponent(character))
}

function toHeaders(record: Readonly<Record<string, string>>, hasBody: boolean): Headers {
  const headers = new Headers()
  // A handler that passes the request on must not send them. `content-length` stays: the body has that length.
  const ofConnection = connectionFields(record.connection ?? '')
  for (const name in record) {
    // Done already: `expect`.
    if (ofConnection.has(name) || name === 'expect' || (name === 'content-length' && !hasBody)) continue
    try {
      headers.append(name, toByteString(record[name] ?? ''))
    } catch {
      throw new MalformedRequestError(`The header field ${name} is not valid`)
    }
  }
  return headers
}

/** A transport reads fields as UTF-8; in `Headers` each character is a byte. */
function toByteString(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it matches what is not ASCII
  return /[^\u0000-\u007f]/.test(value) ? Buffer.from(value).toString('latin1') : value
}

/** Nothing is read before the handler asks for it, and no faster than it asks. */
function toStream(body: IncomingBody): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = await body.next()
        if (next.done === true) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await body.return()
      },
    },
    { highWaterMark: 0 },
  )
}
