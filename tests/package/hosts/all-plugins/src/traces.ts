// Spans of calls over both wires, for the SDK that the host has installed.
import assert from 'node:assert/strict'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { otel } from '@twinwire/plugin-otel'

const exporter = new InMemorySpanExporter()
const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
const { client, request, close } = await createTestApp({
  pkgIds: { HELLO: 1 },
  routes: { HELLO: route({ http: 'GET /hello', access: 'public', handler: () => 'hello' }) },
  plugins: [otel({ tracerProvider })],
})
await (await client()).call('HELLO')
assert.equal((await request('GET /hello')).status, 200)
await close()
assert.deepEqual(
  exporter.getFinishedSpans().map(({ name }) => name),
  ['HELLO', 'GET /hello'],
)
