// A real Prometheus scrapes the exemplars of calls, and finds their traces.
import { createApp, type Plugin, route } from '@twinwire/core'
import { setTrace } from '@twinwire/core/plugin'
import { metrics } from '@twinwire/plugin-metrics'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { httpCall } from '../support/http-call.ts'
import { PackageClient } from '../support/package-client.ts'
import { hasPrometheus, startPrometheus, type TestPrometheus } from '../support/prometheus.ts'

let calls = 0
const traceIdOf = (call: number): string => String(call).padStart(32, 'a')
/** Every call is sampled but the third. */
const tracer: Plugin = {
  name: 'tracer',
  setup(host) {
    host.onCall((call) => {
      calls += 1
      setTrace(call, { traceId: traceIdOf(calls), spanId: 'b'.repeat(16), sampled: calls !== 3 })
    })
  },
}

const app = createApp({
  pkgIds: { PING: 1 },
  routes: { PING: route({ http: 'GET /ping', handler: () => 'pong' }) },
  plugins: [tracer, metrics({ exemplars: true, access: 'public' })],
  environment: 'test',
  defaultAccess: 'public',
  log: 'fatal',
})

describe.skipIf(!hasPrometheus())('exemplars', () => {
  let prometheus: TestPrometheus
  let port: number

  beforeAll(async () => {
    port = (await app.listen({ port: 0 })).port
    await httpCall(`http://127.0.0.1:${port}/ping`)
    const client = await PackageClient.connect(`ws://127.0.0.1:${port}/ws`)
    await client.call(1)
    await client.close()
    await httpCall(`http://127.0.0.1:${port}/ping`)
    prometheus = await startPrometheus(
      `scrape_configs: [{ job_name: app, scrape_interval: 1s, static_configs: [{ targets: ['127.0.0.1:${port}'] }] }]`,
    )
  })
  afterAll(async () => {
    await prometheus?.stop()
    await app.close()
  })

  it.each([
    ['http_request_duration_seconds_bucket', 1],
    ['ws_message_processing_duration_seconds_bucket', 2],
  ])('of %s are stored with the trace of its sampled call, and with no other', async (metric, call) => {
    const end = Math.ceil(Date.now() / 1000) + 60
    const path = `query_exemplars?query=${metric}&start=${end - 600}&end=${end}`
    const find = async (): Promise<unknown> => {
      const series = await prometheus.api(path)
      return Array.isArray(series) ? series.flatMap((each) => Object(each).exemplars).map(Object) : series
    }
    await expect.poll(find).not.toEqual([])
    const labels = { trace_id: traceIdOf(call), span_id: 'b'.repeat(16) }
    expect(await find()).toEqual([{ labels, value: expect.any(String), timestamp: expect.any(Number) }])
  })
})
