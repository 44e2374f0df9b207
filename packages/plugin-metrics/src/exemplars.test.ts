import { type Call, type Plugin, route } from '@twinwire/core'
import { Instruments, setTrace, systemClock, type Trace } from '@twinwire/core/plugin'
import { createTestApp, createTestLogger, onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { clusterMetrics } from './cluster-metrics.ts'
import { createErrorCounters } from './error-counters.ts'
import { Exemplars } from './exemplars.ts'
import { metrics } from './index.ts'
import { Scraper } from './scraper.ts'
import { readScrape } from './testing/index.ts'

const openMetrics = { headers: { accept: 'application/openmetrics-text;version=1.0.0,*/*;q=0.1' } }
const traceOf = (digit: string, sampled = true): Trace => ({
  traceId: digit.repeat(32),
  spanId: digit.repeat(16),
  sampled,
})

/** A tracer: each call gets the next of these spans, or none. */
const tracer = (traces: (Trace | undefined)[]): Plugin => ({
  name: 'tracer',
  setup(host) {
    host.onCall((call) => {
      const trace = traces.shift()
      if (trace !== undefined) setTrace(call, trace)
    })
  },
})

const routes = {
  PING: route({ http: 'GET /ping', access: 'public', handler: () => 'pong' }),
  FAIL: route({
    http: 'POST /fail',
    access: 'public',
    handler: () => {
      throw new Error('It fails')
    },
  }),
}
const base = { pkgIds: { PING: 1, FAIL: 2 }, routes } as const

/** The lines with exemplars. */
const linesOf = (text: string): readonly string[] => text.split('\n').filter((line) => line.includes(' # {'))
const exemplarOf = (digit: string): RegExp =>
  new RegExp(` # \\{trace_id="${digit}{32}",span_id="${digit}{16}"\\} [\\d.e-]+ [\\d.]+$`)

describe('the exemplars of the durations of calls', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('are the last sampled call of a bucket, on both wires, on success and failure', async () => {
      const traces = [traceOf('a'), traceOf('b'), traceOf('c', false), undefined, traceOf('d'), traceOf('e')]
      const { request, client } = await start(
        { ...base, log: 'fatal', plugins: [metrics({ exemplars: true }), tracer(traces)] },
        { leftovers: 'allow' },
      )
      for (let i = 0; i < 4; i++) await request('GET /ping')
      await (await client()).call('PING')
      await request('POST /fail')
      const { text } = await request('GET /metrics', openMetrics)
      readScrape(text)
      const lines = linesOf(text)
      // Two calls may have taken equally long.
      const ofPing = lines.filter((line) => line.startsWith('http_request_duration_seconds_bucket{method="GET"'))
      expect(ofPing.at(-1)).toMatch(/endpoint="\/ping"/)
      expect(ofPing.some((line) => exemplarOf('b').test(line))).toBe(true)
      expect(lines.filter((line) => exemplarOf('d').test(line))).toEqual([
        expect.stringMatching(/^ws_message_processing_duration_seconds_bucket\{pkg_id="1",le="[\d.]+|\+Inf"\} 1 # /),
      ])
      expect(lines.filter((line) => exemplarOf('e').test(line))).toEqual([
        expect.stringMatching(/^http_request_duration_seconds_bucket\{method="POST",endpoint="\/fail",le="/),
      ])
      expect(text).not.toContain('c'.repeat(32))
      for (const line of lines) {
        const [, bound = '', value = ''] = /le="([^"]+)".* # \{[^}]*\} (\S+) /.exec(line) ?? []
        expect(Number(value)).toBeLessThanOrEqual(bound === '+Inf' ? Infinity : Number(bound))
      }
      const plain = (await request('GET /metrics')).text
      expect(linesOf(plain)).toEqual([])
      readScrape(plain)
    })

    it('are left out for labels that are too long, and for calls without a route', async () => {
      const long = { traceId: 'a'.repeat(98), spanId: 'b'.repeat(16), sampled: true }
      const longest = { traceId: 'f'.repeat(97), spanId: 'e'.repeat(16), sampled: true }
      const traces = [long, longest, undefined, traceOf('1')]
      const { request } = await start({ ...base, plugins: [metrics({ exemplars: true }), tracer(traces)] })
      await request('GET /ping')
      expect(linesOf((await request('GET /metrics', openMetrics)).text)).toEqual([])
      const { text } = await request('GET /metrics', openMetrics)
      // The scrape before this one was the second call.
      expect(linesOf(text)).toEqual([
        expect.stringContaining(`{trace_id="${'f'.repeat(97)}",span_id="${'e'.repeat(16)}"}`),
      ])
      readScrape(text)
      await request('GET /nowhere')
      expect(linesOf((await request('GET /metrics', openMetrics)).text)).toHaveLength(1)
    })

    it('do not exist by default', async () => {
      const { request } = await start({ ...base, plugins: [metrics(), tracer([traceOf('a')])] })
      await request('GET /ping')
      expect(linesOf((await request('GET /metrics', openMetrics)).text)).toEqual([])
    })
  })

  it('of several workers are the last ones', async () => {
    const calls: Call[] = []
    const watcher: Plugin = { name: 'watcher', setup: (host) => host.onReply((ended) => void calls.push(ended)) }
    const { request, close } = await createTestApp({ ...base, plugins: [watcher] })
    onTestFinished(() => close())
    await request('GET /ping')
    const [call] = calls
    if (call === undefined) throw new Error('No call has ended')
    const report = async (digit: string, nowMs: number): Promise<unknown> => {
      const instruments = new Instruments()
      const labels = { method: ['GET'], endpoint: ['/ping'] } as const
      instruments
        .histogram('http_request_duration_seconds', 'Time', [1, 2], labels)
        .cell({ method: 'GET', endpoint: '/ping' })
        .observe(1.5)
      const exemplars = new Exemplars(instruments, { ...systemClock, now: () => nowMs })
      setTrace(call, traceOf(digit))
      exemplars.record(call, { error: null, aborted: false, httpStatus: 200, durationMs: 1500 })
      const scraper = new Scraper({
        instruments,
        node: null,
        registry: null,
        exemplars,
        clock: systemClock,
        log: createTestLogger(),
        collectTimeoutMs: 1000,
        errors: createErrorCounters(instruments),
      })
      return structuredClone(await scraper.read())
    }
    const writer = clusterMetrics().start({ instruments: new Instruments(), log: createTestLogger() })
    const reports = [await report('a', 5000), await report('b', 7000.5), await report('c', 6000)]
    const { body } = await writer.write(
      reports.map((each) => ({ metrics: each, current: true })),
      openMetrics.headers.accept,
    )
    const text = Buffer.from(body).toString()
    readScrape(text)
    expect(linesOf(text)).toEqual([
      `http_request_duration_seconds_bucket{method="GET",endpoint="/ping",le="2.0"} 3 # {trace_id="${'b'.repeat(32)}",span_id="${'b'.repeat(16)}"} 1.5 7.0005`,
    ])
  })
})
