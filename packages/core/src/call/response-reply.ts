import { findBadHeader, isFraming } from '../transport/answer-rules.ts'
import type { AnswerDetails, HeaderList } from '../transport/transport.ts'
import { connectionFields } from './connection-fields.ts'
import { StreamResult } from './reply.ts'

/** Codings that Node's `fetch` undoes, and leaves the header that names them. */
const decodedByFetch = /^(?:x-gzip|gzip|deflate|br|zstd)$/

/** The answer of a fetch handler: a streamed reply with the rest of what a `Response` says. */
export class ResponseReply extends StreamResult implements AnswerDetails {
  /** All that it says, repeated ones too, without what the transport writes. */
  readonly list: HeaderList
  /** The reason phrase; '' for the usual one. */
  readonly statusText: string
  /** Of a response without a body: its `content-length`, which is that of GET for HEAD. */
  readonly length: number | null
  readonly hasBody: boolean

  private constructor(response: Response) {
    super('stream', response.body === null ? [] : toSource(response.body), { status: response.status })
    this.list = toHeaderList(response)
    this.statusText = response.statusText
    this.length = toLength(response.headers.get('content-length'))
    this.hasBody = response.body !== null
  }

  /**
   * @param who - For messages: the handler that returned it.
   * @throws TypeError for what cannot be sent: not a `Response`, one that was read already, `Response.error()`.
   */
  static of(response: unknown, who: string): ResponseReply {
    if (!isResponse(response))
      throw new TypeError(`${who}: the handler returned ${describe(response)}: return a Response`)
    if (response.status < 200)
      throw new TypeError(`${who}: the handler returned Response.error(), which has no status: throw an error instead`)
    if (response.bodyUsed || response.body?.locked === true)
      throw new TypeError(
        `${who}: the handler returned a Response whose body was read already: return a new one, or read a clone()`,
      )
    const reply = new ResponseReply(response)
    const bad = findBadHeader(reply.list, reply)
    if (bad === null) return reply
    // What it reads would stay open. That ending it fails too says nothing more.
    response.body?.cancel(bad).catch(() => {})
    throw new TypeError(`${who}: the handler returned a Response that cannot be sent: ${bad.message}`)
  }
}

/** Not the stream itself: in the types of the DOM it is not iterable. Its iterator can be returned while it waits. */
function toSource(body: ReadableStream<Uint8Array>): AsyncIterable<Uint8Array> {
  return {
    [Symbol.asyncIterator]() {
      const reader = body.getReader()
      return {
        next: () => reader.read(),
        async return() {
          await reader.cancel()
          return { done: true, value: undefined }
        },
      }
    },
  }
}

/** Also of another copy of the class, such as that of the package undici. */
function isResponse(value: unknown): value is Response {
  return value instanceof Response || Object.prototype.toString.call(value) === '[object Response]'
}

function describe(value: unknown): string {
  return typeof value === 'object' && value !== null ? `an object (${value.constructor?.name ?? 'null'})` : typeof value
}

/** The values are byte strings, one character for each byte, and `set-cookie` comes once for each cookie. */
function toHeaderList(response: Response): HeaderList {
  const isDecoded = response.type !== 'default' && response.body !== null
  const list: (readonly [string, string])[] = []
  // What a connection says for itself, and no handler for the next one. `isFraming` knows the others.
  const ofConnection = connectionFields(response.headers.get('connection') ?? '')
  response.headers.forEach((value, name) => {
    if (isFraming(name, value) || ofConnection.has(name)) return
    if (isDecoded && name === 'content-encoding' && value.split(',').every((each) => decodedByFetch.test(each.trim())))
      return
    list.push([name, value])
  })
  return list
}

function toLength(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null
}
