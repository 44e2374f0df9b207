import { toJsonValue } from './json-value.ts'

/** One event of a stream of server-sent events. */
export interface ServerSentEvent {
  /** What a client that comes back sends as `Last-Event-ID`. Without NUL, CR and LF; '' makes the client forget the last one. */
  readonly id?: string | undefined
  /** The type that a client listens to; left out or '': `message`. Without NUL, CR and LF. */
  readonly event?: string | undefined
  /** A string is sent as it is, each of its lines in a `data:` line; anything else as JSON. */
  readonly data: unknown
}

/** A comment, which clients ignore: proxies cut connections that are idle for a minute. */
export const heartbeat = ':\n\n'

const lineEnds = /\r\n|\r|\n/

/**
 * One event as text (https://html.spec.whatwg.org/multipage/server-sent-events.html).
 *
 * @throws TypeError for an id or a type with NUL, CR or LF, which would break out of its line, and for data without a JSON form, which null and
 * undefined in place of an event have neither
 *
 * @example
 * toEventText({ id: '7', event: 'price', data: { eur: 3 } }) // 'id: 7\nevent: price\ndata: {"eur":3}\n\n'
 */
export function toEventText(given: ServerSentEvent | null | undefined): string {
  const { id, event, data }: Partial<ServerSentEvent> = given ?? {}
  let text = ''
  if (id !== undefined) text += `id: ${checked(id, 'id')}\n`
  if (event !== undefined && event !== '') text += `event: ${checked(event, 'event')}\n`
  return `${text}${toDataLines(data)}\n`
}

/** As `toEventText`, of data that has its JSON form. */
export function toJsonEvent(event: string | null, json: string): string {
  return event === null ? `data: ${json}\n\n` : `event: ${event}\ndata: ${json}\n\n`
}

/**
 * How long a client waits before it comes back, from now on.
 *
 * @param id - The position from which it goes on, without an event; null for none.
 */
export function toRetryText(retryMs: number, id: string | null): string {
  return id === null ? `retry: ${retryMs}\n\n` : `retry: ${retryMs}\nid: ${id}\n\n`
}

function toDataLines(data: unknown): string {
  if (typeof data === 'string') {
    if (!lineEnds.test(data)) return `data: ${data}\n`
    return data
      .split(lineEnds)
      .map((line) => `data: ${line}\n`)
      .join('')
  }
  const json: string | undefined = JSON.stringify(toJsonValue(data))
  if (json === undefined)
    throw new TypeError(`The data of a server-sent event must be a string or have a JSON form, not ${typeof data}`)
  return `data: ${json}\n`
}

function checked(value: unknown, field: 'id' | 'event'): string {
  if (typeof value !== 'string')
    throw new TypeError(`The ${field} of a server-sent event must be a string, not ${typeof value}`)
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i)
    if (code === 0 || code === 10 || code === 13)
      throw new TypeError(
        `The ${field} of a server-sent event must not have NUL, CR or LF, which ${JSON.stringify(value)} has: replace them`,
      )
  }
  return value
}
