import type { ActiveCall } from '../../call/active-call.ts'
import { answeredLater } from '../../call/active-call.ts'
import { ForwardedPeer } from '../../call/forwarded-peer.ts'
import type { StreamSource } from '../../call/reply.ts'
import type { PreparedHead } from '../../transport/prepared-head.ts'
import type { HeaderList, HttpExchange } from '../../transport/transport.ts'
import type { ResponseHeads } from '../response-heads.ts'
import { allowsRange, checkConditions, sentValidators } from './conditions.ts'
import type { KeptForm } from './kept-file.ts'
import { type ByteRange, parseRange } from './range.ts'
import type { Representation } from './representation.ts'

/** How a file is sent to a request. Each method returns the status. */
export interface FileRequest {
  readonly exchange: HttpExchange
  readonly isSecure: boolean
  readonly heads: ResponseHeads
  respondPrepared(call: ActiveCall, status: number, head: PreparedHead, body: Uint8Array): number
  /** `length`: what GET would have, for HEAD. */
  respondFile(call: ActiveCall, status: number, headers: HeaderList, body: Uint8Array, length: number): number
  streamFile(call: ActiveCall, status: number, headers: HeaderList, source: StreamSource, size: number): number
}

/** An answer that only has to be written. */
export interface ReadyAnswer {
  /** Writes it, and returns its status. */
  send(): number
  /** The call has ended without it. */
  drop?(): Promise<void>
}

/** A reply that finds its file by itself. */
export interface FileFinder {
  /** At once, for a file in memory; else null. Throws what the call is to fail with. */
  peek(request: FileRequest, call: ActiveCall): ReadyAnswer | null
  /** Rejects with what the call is to fail with. */
  find(request: FileRequest, call: ActiveCall): Promise<ReadyAnswer>
}

const nothing = new Uint8Array(0)

/** Answers a call with a file. Returns the status, or what the peer of a call returns that is answered later. */
export function answerFile(request: FileRequest, call: ActiveCall, finder: FileFinder): number {
  const ready = finder.peek(request, call)
  return ready === null ? FileAnswer.start(request, call, finder) : ready.send()
}

/**
 * A file that has to be read first. It takes the place of the call's peer until the first byte is sent: the call goes on until then, with its deadline,
 * and can still fail.
 */
class FileAnswer extends ForwardedPeer {
  #ready: ReadyAnswer | null = null

  static start(request: FileRequest, call: ActiveCall, finder: FileFinder): number {
    const answer = new FileAnswer(call.peer)
    call.peer = answer
    call.services.track(answer.#run(request, call, finder))
    return answeredLater
  }

  /** Never rejects. */
  async #run(request: FileRequest, call: ActiveCall, finder: FileFinder): Promise<void> {
    try {
      const ready = await finder.find(request, call)
      if (call.settled) return await ready.drop?.()
      this.#ready = ready
      call.succeed(undefined)
    } catch (error) {
      call.fail(error)
    }
  }

  override succeed(call: ActiveCall, result: unknown): number {
    return this.#ready?.send() ?? super.succeed(call, result)
  }
}

/** What is sent of a file. */
export interface Decision {
  readonly status: number
  /** Null without a body of the file. */
  readonly range: ByteRange | null
}

/** `status`: one that the handler chose, which leaves conditions and ranges out. */
export function decide(
  exchange: HttpExchange,
  call: ActiveCall,
  form: Representation,
  size: number,
  status: number | null,
): Decision {
  const whole = { start: 0, end: size }
  if (status !== null) return { status, range: status === 204 || status === 304 ? null : whole }
  const header = (name: string): string => exchange.header(name)
  const validators = sentValidators(form, call.addedHeaders?.entries())
  const verdict = checkConditions(header, validators)
  if (verdict !== 200) return { status: verdict, range: null }
  const asked = exchange.method === 'GET' && form.rangeSize !== null ? exchange.header('range') : ''
  const range = asked === '' || !allowsRange(exchange.header('if-range'), validators) ? null : parseRange(asked, size)
  if (range === 'unsatisfiable') return { status: 416, range: null }
  return range === null ? { status: 200, range: whole } : { status: 206, range }
}

/** The headers of an answer. */
export function toHeaders(form: Representation, size: number, { status, range }: Decision): HeaderList {
  if (status === 304) return form.validators
  if (status === 416) return [['content-range', `bytes */${size}`]]
  if (range === null) return []
  return status === 206
    ? [...form.headers, ['content-range', `bytes ${range.start}-${range.end - 1}/${size}`]]
    : form.headers
}

/** Answers with a file that is in memory. */
export function sendKept(
  request: FileRequest,
  call: ActiveCall,
  { representation, bytes }: KeptForm,
  status: number | null,
): number {
  const size = bytes.byteLength
  const decision = decide(request.exchange, call, representation, size, status)
  const { range } = decision
  if (decision.status === 200 && range !== null)
    return request.respondPrepared(call, 200, representation.head(request.heads, request.isSecure), bytes)
  const body = range === null ? nothing : bytes.subarray(range.start, range.end)
  return request.respondFile(call, decision.status, toHeaders(representation, size, decision), body, body.byteLength)
}
