import { PreparedHead } from '../transport/prepared-head.ts'
import type { HeaderList } from '../transport/transport.ts'
import type { ItemFormat } from './accept-header.ts'
import type { SecurityHeaders } from './security-headers.ts'

/** What the body of a response is. */
export type BodyKind = 'none' | 'json' | 'text' | 'bytes'

/** Its content type, unless the handler says another; '' for none. */
export const bodyTypes: Readonly<Record<BodyKind, string>> = {
  none: '',
  json: 'application/json',
  text: 'text/plain; charset=utf-8',
  bytes: 'application/octet-stream',
}

/** Not stored, and not held back by nginx. */
const ofStreams: HeaderList = [
  ['cache-control', 'no-store'],
  ['x-accel-buffering', 'no'],
]

/** Of responses that are sent item by item. */
export const streamHeads: Readonly<Record<ItemFormat, HeaderList>> = {
  ndjson: [['content-type', 'application/x-ndjson'], ...ofStreams],
  events: [['content-type', 'text/event-stream'], ...ofStreams],
}

/** The headers of every response of an app, composed at boot: security headers, correlation id, content type. */
export class ResponseHeads {
  readonly #open: Readonly<Record<BodyKind, PreparedHead>>
  readonly #secure: Readonly<Record<BodyKind, PreparedHead>>
  readonly #security: SecurityHeaders

  constructor(securityHeaders: SecurityHeaders) {
    this.#security = securityHeaders
    this.#open = prepare(securityHeaders(false))
    this.#secure = prepare(securityHeaders(true))
  }

  of(secure: boolean, kind: BodyKind): PreparedHead {
    return (secure ? this.#secure : this.#open)[kind]
  }

  /** With headers of one file, which replace ours. There are many of them, so each keeps little. */
  prepare(secure: boolean, headers: HeaderList): PreparedHead {
    const own = this.#security(secure).filter(([name]) => !headers.some(([other]) => other === name))
    return new PreparedHead(own, 'x-correlation-id', headers, 'last')
  }
}

function prepare(security: HeaderList): Readonly<Record<BodyKind, PreparedHead>> {
  const of = (kind: BodyKind): PreparedHead =>
    new PreparedHead(security, 'x-correlation-id', bodyTypes[kind] === '' ? [] : [['content-type', bodyTypes[kind]]])
  return { none: of('none'), json: of('json'), text: of('text'), bytes: of('bytes') }
}
