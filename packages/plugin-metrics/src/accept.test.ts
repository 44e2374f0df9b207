import { expect, it } from 'vitest'
import { toFormat } from './accept.ts'

it.each([
  ['', 'text'],
  ['*/*', 'text'],
  ['text/html,application/xhtml+xml,*/*;q=0.8', 'text'],
  ['text/plain', 'text'],
  ['application/openmetrics-text', 'openmetrics'],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8', 'openmetrics'],
  ['APPLICATION/OpenMetrics-Text;VERSION=0.0.1', 'openmetrics'],
  ['application/openmetrics-text;version=2.0.0', 'text'],
  ['application/openmetrics-text;q=0', 'text'],
  ['application/openmetrics-text;q=0.5,text/plain', 'text'],
  ['application/openmetrics-text;q=0.5,text/plain;q=0.5', 'openmetrics'],
  ['application/openmetrics-text;q=oops', 'text'],
  [',;,=;q', 'text'],
  // Prometheus 2.42, then 3.
  [
    'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    'openmetrics',
  ],
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
])('%j selects %s', (accept, format) => {
  expect(toFormat(accept)).toBe(format)
})
