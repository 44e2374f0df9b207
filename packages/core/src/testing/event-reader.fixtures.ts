import type { RawHttp } from './raw-client.ts'
import type { RawRequest } from './raw-types.ts'

/** One event as a client reads it. */
export interface ReadEvent {
  readonly id?: string
  readonly event: string
  readonly data: unknown
}

/** A client of server-sent events. */
export interface EventClient {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** As received so far. */
  text(): string
  /** Events so far, without comments. */
  events(): readonly ReadEvent[]
  /** The last `retry:`. */
  retryMs(): number
  /** Resolves with what is left when the response has ended, and rejects when it was cut. */
  readonly ended: Promise<void>
  leave(): void
}

/** Opens server-sent events, and reads them in the background. */
export async function openEvents(raw: RawHttp, path: string, request: Partial<RawRequest> = {}): Promise<EventClient> {
  const abort = new AbortController()
  const { status, headers, body } = await raw.stream({ method: 'GET', path, signal: abort.signal, ...request })
  let text = ''
  const read = async (): Promise<void> => {
    for await (const chunk of body) text += Buffer.from(chunk).toString()
  }
  const ended = read()
  // One that leaves does not look at it.
  ended.catch(() => {})
  return {
    status,
    headers,
    text: () => text,
    events: () => readEvents(text),
    retryMs: () => Number([...text.matchAll(/^retry: (\d+)$/gm)].at(-1)?.[1]),
    ended,
    leave: () => abort.abort(new Error('The client has left')),
  }
}

/** By the rules of EventSource (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function readEvents(text: string): readonly ReadEvent[] {
  const events: ReadEvent[] = []
  for (const block of text.split('\n\n').slice(0, -1)) {
    let id: string | undefined
    let event = 'message'
    const data: string[] = []
    for (const line of block.split('\n')) {
      const colon = line.indexOf(':')
      const [field, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')]
      if (field === 'id') id = value
      else if (field === 'event') event = value
      else if (field === 'data') data.push(value)
    }
    if (data.length === 0) continue
    events.push({ ...(id !== undefined && { id }), event, data: toData(data.join('\n')) })
  }
  return events
}

function toData(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
