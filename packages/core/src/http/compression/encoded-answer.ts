import { isPromise, type MaybePromise } from '../../base/maybe-promise.ts'
import type { ActiveCall } from '../../call/active-call.ts'
import type { AnswerCompression } from '../../call/compiled-route.ts'
import type { AnswerDetails, HeaderList, HttpExchange } from '../../transport/transport.ts'
import type { Encoding } from './accept-encoding.ts'
import { type Coding, chooseCoding, withCoding } from './coding.ts'
import { compressBytes, isPoolBusy } from './compress.ts'

/** An answer that is sent whole. */
export interface WholeAnswer {
  readonly status: number
  /** All of them. */
  readonly headers: HeaderList
  readonly body: string | Uint8Array
  readonly details?: AnswerDetails | undefined
}

/** Sends an answer in the coding that the request asks for. */
export function respondCoded(exchange: HttpExchange, call: ActiveCall, answer: WholeAnswer): void {
  const { status, headers, body, details } = answer
  const compression = call.compiled.http?.compression ?? null
  if (compression === null || body.length < compression.minBytes)
    return exchange.respond(status, headers, body, details)
  const coding = chooseCoding(status, headers, '', exchange.header('accept-encoding'))
  if (coding === null) exchange.respond(status, headers, body, details)
  else if (coding === 'identity') exchange.respond(status, withCoding(headers, coding), body, details)
  else respondEncoded(exchange, call, answer, coding, compression)
}

/** What HEAD says where the body of GET is not known, only perhaps its length. */
export function codedHead(
  exchange: HttpExchange,
  call: ActiveCall,
  status: number,
  headers: HeaderList,
  details: AnswerDetails,
): Pick<WholeAnswer, 'headers' | 'details'> {
  const compression = call.compiled.http?.compression ?? null
  const { statusText, length } = details
  if (compression === null || (length !== null && length < compression.minBytes)) return { headers, details }
  const coding = chooseCoding(status, headers, '', exchange.header('accept-encoding'))
  if (coding === null) return { headers, details }
  if (coding === 'identity') return { headers: withCoding(headers, coding), details }
  return { headers: withCoding(headers, length === null ? 'identity' : coding), details: { statusText, length: null } }
}

/**
 * Compresses an answer and sends it, now or, when its body is long, later: the drain waits for it. It is sent as it is when that is not longer, when
 * zlib fails, and when too many others wait. HEAD has no length: it would have to be compressed to know it.
 */
export function respondEncoded(
  exchange: HttpExchange,
  call: ActiveCall,
  { status, headers, body, details }: WholeAnswer,
  encoding: Encoding,
  compression: AnswerCompression,
): void {
  const send = (sent: string | Uint8Array, coding: Coding): void =>
    exchange.respond(status, withCoding(headers, coding), sent, details)
  if (exchange.method === 'HEAD')
    return exchange.respond(status, withCoding(headers, encoding), null, {
      statusText: details?.statusText ?? '',
      length: null,
    })
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const isLater = bytes.byteLength > compression.syncBytes
  if (isLater && isPoolBusy()) return send(body, 'identity')
  // A handler may reuse its bytes once they are answered.
  const held = isLater && bytes === body ? Buffer.from(bytes) : bytes
  const finish = (compressed: Uint8Array): void => {
    if (compressed.byteLength < held.byteLength) send(compressed, encoding)
    else send(held, 'identity')
  }
  const fail = (error: unknown): void => {
    call.log.warn({ err: error }, 'An answer could not be compressed and was sent as it is')
    send(held, 'identity')
  }
  let compressed: MaybePromise<Uint8Array>
  try {
    compressed = compressBytes(held, encoding, compression)
  } catch (error) {
    return fail(error)
  }
  if (isPromise(compressed)) call.services.track(compressed.then(finish, fail))
  else finish(compressed)
}
