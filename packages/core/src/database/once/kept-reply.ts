import type { ReplyCookies } from '../../call/cookies.ts'
import { isPage, isReply, type Page, page, type ReplyHeadersInit, type ReplyOptions, reply } from '../../call/reply.ts'
import type { ReplyHeaders } from '../../call/reply-headers.ts'
import { InternalError } from '../../errors/app-error.ts'

type HeaderEntry = readonly [name: string, value: string]
type Meta = Page<unknown>['meta']

/** A header that was added while the reply was made. `more`: beside those of the same name from before. */
interface KeptHeader {
  readonly name: string
  readonly value: string
  readonly more: boolean
}

/** A reply as data, for either wire. A key without a value is left out. */
interface KeptReply {
  readonly kind?: 'value' | 'text' | 'bytes' | undefined
  readonly value?: unknown
  /** The value is the items of a page. */
  readonly page?: Meta | undefined
  readonly status?: number | undefined
  readonly meta?: Meta | undefined
  readonly headers?: ReplyHeadersInit | undefined
  readonly cookies?: ReplyCookies | undefined
  readonly added?: readonly KeptHeader[] | undefined
}

/** Done, and the reply is not kept. */
export const notKept = '{"kept":false}'

/**
 * The result of a route, after its output, as JSON. `added`: what was added to the headers of the reply.
 *
 * @throws AppError `internal_error` for a reply that can be sent once only
 */
export function toKept(result: unknown, added: readonly KeptHeader[]): string {
  const kept: KeptReply = { ...toParts(result), ...(added.length > 0 && { added }) }
  return JSON.stringify(kept)
}

function toParts(result: unknown): KeptReply {
  if (!isReply(result)) return toValue(result)
  const { kind, value, status, headers, cookies, meta } = result
  if (kind !== 'value' && kind !== 'text' && kind !== 'bytes')
    throw new InternalError({
      cause: new Error(
        `once() keeps replies, and a reply of kind '${kind}' can be read once only: remove once() or return data`,
      ),
    })
  return {
    kind,
    ...(value instanceof Uint8Array ? { value: Buffer.from(value).toString('base64') } : toValue(value)),
    ...(status !== null && { status }),
    ...(meta !== null && { meta }),
    ...(cookies !== null && { cookies }),
    headers,
  }
}

function toValue(value: unknown): KeptReply {
  return isPage(value) ? { value: value.items, page: value.meta } : { value }
}

/** The result that answers a repeated call, and the headers that go with it; `notKept` is an empty reply. */
export function fromKept(text: string): { readonly result: unknown; readonly added: readonly KeptHeader[] } {
  if (text === notKept) return { result: reply(undefined, { status: 204 }), added: [] }
  // Written by `toKept`.
  const kept: KeptReply = JSON.parse(text)
  return { result: toResult(kept), added: kept.added ?? [] }
}

function toResult({ kind, value, page: meta, ...kept }: KeptReply): unknown {
  const data = meta !== undefined && Array.isArray(value) ? page(value, meta) : value
  if (kind === undefined) return data
  const options: ReplyOptions = {
    headers: kept.headers ?? {},
    ...(kept.status !== undefined && { status: kept.status }),
    ...(kept.meta !== undefined && { meta: kept.meta }),
    ...(kept.cookies !== undefined && { cookies: withDates(kept.cookies) }),
  }
  if (kind === 'text') return reply.text(String(data), options)
  if (kind === 'bytes') return reply.bytes(Buffer.from(String(data), 'base64'), options)
  return reply(data, options)
}

/** JSON has no dates. */
function withDates(cookies: ReplyCookies): ReplyCookies {
  const entries = Object.entries(cookies).map(([name, cookie]): [string, ReplyCookies[string]] => {
    if (cookie === null || typeof cookie === 'string' || cookie.expires === undefined) return [name, cookie]
    return [name, { ...cookie, expires: new Date(cookie.expires) }]
  })
  return Object.fromEntries(entries)
}

/** Headers by which a list differs from an earlier one. */
export function toAdded(
  before: ReadonlySet<HeaderEntry>,
  headers: Pick<ReplyHeaders, 'entries'> | null,
): readonly KeptHeader[] {
  const now = headers?.entries() ?? []
  const still = new Set(now.filter((entry) => before.has(entry)).map(([name]) => name))
  return now
    .filter((entry) => !before.has(entry))
    .map(([name, value], i, added) => ({
      name,
      value,
      more: still.has(name) || added.slice(0, i).some(([other]) => other === name),
    }))
}

export function addKept(call: { readonly replyHeaders: ReplyHeaders }, added: readonly KeptHeader[]): void {
  for (const { name, value, more } of added) {
    if (more) call.replyHeaders.append(name, value)
    else call.replyHeaders.set(name, value)
  }
}
