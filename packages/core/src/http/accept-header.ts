/** How the items of a streamed reply are written. */
export type ItemFormat = 'ndjson' | 'events'

/**
 * The format that an `Accept` header prefers (RFC 9110, 12.5.1). NDJSON unless it prefers `text/event-stream`, also when it accepts
 * neither: a client that does not know the formats can still read lines.
 *
 * @example
 * toItemFormat('text/event-stream') // 'events', as an EventSource sends it
 * toItemFormat('application/x-ndjson, text/event-stream;q=0.5') // 'ndjson'
 * toItemFormat('') // 'ndjson'
 */
export function toItemFormat(accept: string): ItemFormat {
  const events = qualityOf(accept, 'text/event-stream', 'text/*')
  const lines = qualityOf(accept, 'application/x-ndjson', 'application/*')
  return events > lines ? 'events' : 'ndjson'
}

/** Of the most specific range that fits; 0 when none does. */
function qualityOf(accept: string, type: string, family: string): number {
  const byRange = new Map(accept.split(',').map(readRange))
  return byRange.get(type) ?? byRange.get(family) ?? byRange.get('*/*') ?? 0
}

function readRange(text: string): [range: string, quality: number] {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const q = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = q === undefined ? 1 : Number(q.slice(2))
  return [range, quality >= 0 && quality <= 1 ? quality : 0]
}
