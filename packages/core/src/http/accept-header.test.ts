import { expect, it } from 'vitest'
import { type ItemFormat, toItemFormat } from './accept-header.ts'

const cases: readonly [accept: string, format: ItemFormat][] = [
  ['', 'ndjson'],
  ['*/*', 'ndjson'],
  ['application/json', 'ndjson'],
  ['application/x-ndjson', 'ndjson'],
  ['text/event-stream', 'events'],
  ['TEXT/Event-Stream', 'events'],
  ['text/*', 'events'],
  ['text/event-stream, */*;q=0.1', 'events'],
  ['*/*;q=0.5, text/event-stream;q=0.6', 'events'],
  ['application/x-ndjson, text/event-stream', 'ndjson'],
  ['application/x-ndjson;q=0.4, text/event-stream;q=0.5', 'events'],
  ['application/x-ndjson;q=0.5, text/event-stream;q=0.4', 'ndjson'],
  ['application/*;q=0, text/event-stream;q=0.1', 'events'],
  ['text/event-stream;q=0', 'ndjson'],
  ['text/event-stream;q=2', 'ndjson'],
  ['text/event-stream;q=many', 'ndjson'],
  ['text/event-stream; charset=utf-8 ; q=0.9, application/x-ndjson ; q=0.8', 'events'],
  ['text/*;q=0.9, text/event-stream;q=0.1, application/x-ndjson;q=0.5', 'ndjson'],
  [',;,;q=,=', 'ndjson'],
]

it.each(cases)('%j is answered as %s', (accept, format) => {
  expect(toItemFormat(accept)).toBe(format)
})
