import { afterEach, describe, expect, test } from 'vitest'
import type { Plugin } from '../plugin/plugin.ts'
import { route } from '../route/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { setTrace, traceOf } from './trace.ts'

const trace = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', sampled: true }
const incoming = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

const read = route({
  http: 'GET /read',
  handler: (_input, call) => {
    call.log.info('Reading')
    return traceOf(call) ?? null
  },
})

onTransports({ describe, afterEach }, ({ start }) => {
  const boot = async (traces: boolean) => {
    const logger = createTestLogger()
    const tracer: Plugin = {
      name: 'tracer',
      setup: (host) => {
        if (traces) host.onCall((call) => setTrace(call, trace))
      },
    }
    const log = { logger, access: 'all' } as const
    const app = await start({ pkgIds: { READ: 1 }, routes: { READ: read }, plugins: [tracer], log })
    const lines = () =>
      logger.lines
        .filter(({ fields }) => fields.route === 'READ')
        .map(({ message, fields }) => [message, fields.trace_id, fields.span_id])
    return { app, lines }
  }

  test('a call has the trace that a tracer gave it, and so have its lines in the log', async () => {
    const { app, lines } = await boot(true)
    expect(await (await app.client()).call('READ')).toEqual(trace)
    const { traceId, spanId } = trace
    const headers = { traceparent: incoming }
    expect((await app.request('GET /read', { headers })).json()).toEqual(trace)
    expect(lines()).toEqual([
      ['Reading', traceId, spanId],
      ['Call', traceId, spanId],
      ['Reading', traceId, spanId],
      ['Call', traceId, spanId],
    ])
  })

  test('without a tracer it has none, and its lines have the trace of the caller', async () => {
    const { app, lines } = await boot(false)
    expect(await (await app.client()).call('READ')).toBeNull()
    await app.request('GET /read', { headers: { traceparent: incoming } })
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    expect(lines()).toEqual([
      ['Reading', undefined, undefined],
      ['Call', undefined, undefined],
      ['Reading', traceId, undefined],
      ['Call', traceId, undefined],
    ])
  })
})
