import { type Context, context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-base'
import { event, reply, route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import * as v from 'valibot'
import { beforeAll, expect, it } from 'vitest'
import { setFailure } from './operation-spans.ts'
import { otel } from './otel-plugin.ts'
import { activeSpan, createSpans, useContext } from './spans.fixtures.ts'

const news = event({ data: v.object({ text: v.string() }) })
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

beforeAll(useContext)

it.each(['onStart', 'onEnd'] as const)('an SDK that throws in %s is logged, and fails nothing', async (place) => {
  const throws = { isOn: true }
  const processor: SpanProcessor = {
    onStart: (_span, _outer: Context) => {},
    onEnd: () => {},
    forceFlush: async () => {},
    shutdown: async () => {},
    [place]: () => {
      if (throws.isOn) throw new Error('The processor is broken')
    },
  }
  const ran: string[] = []
  const { client, request, close, logs } = await createTestApp({
    pkgIds: { TELL: 1, NEWS: 100 },
    routes: {
      TELL: route({
        http: 'POST /tell',
        access: 'public',
        async handler(_input, call) {
          const published = call.publish('news', news, { text: 'x' })
          await later()
          return published === undefined
        },
      }),
    },
    events: { NEWS: news },
    topics: { news: { authorize: () => true } },
    tasks: { sweep: { everyMs: 60_000, run: () => void ran.push('sweep') } },
    plugins: [otel({ tracerProvider: new BasicTracerProvider({ spanProcessors: [processor] }) })],
  })
  const socket = await client()
  expect(await socket.call('TELL')).toBe(true)
  expect((await request('POST /tell')).json()).toBe(true)
  await expect.poll(() => ran).toEqual(['sweep'])
  const messages = logs.filter(({ level }) => level === 'error').map(({ message }) => message)
  expect(new Set(messages)).toEqual(new Set(['The tracer of OpenTelemetry failed']))
  await close()
})

it('an answer of 500 and above is an error, also one that a handler makes itself', async () => {
  const spans = createSpans()
  const { request, close } = await createTestApp({
    pkgIds: {},
    routes: {},
    endpoints: [
      route({ http: 'GET /away', access: 'public', handler: () => reply({ status: 'down' }, { status: 503 }) }),
      route({ http: 'GET /odd', access: 'public', handler: () => reply({ status: 'odd' }, { status: 409 }) }),
    ],
    plugins: [otel({ tracerProvider: spans.tracerProvider })],
  })
  await request('GET /away')
  await request('GET /odd')
  expect(spans.all().map(({ status, attributes }) => [status.code, attributes['error.type']])).toEqual([
    [SpanStatusCode.ERROR, '503'],
    [SpanStatusCode.UNSET, undefined],
  ])
  await close()
})

it('a task that is told to end has not failed', async () => {
  const spans = createSpans()
  let begun = (): void => {}
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  const { app } = await createTestApp({
    pkgIds: {},
    routes: {},
    tasks: {
      sweep: {
        everyMs: 60_000,
        run: ({ signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason))
            begun()
          }),
      },
    },
    plugins: [otel({ tracerProvider: spans.tracerProvider })],
  })
  await running
  await app.close()
  expect(spans.all().map(({ name, attributes }) => [name, attributes['error.type']])).toEqual([
    ['task sweep', undefined],
  ])
})

it('a call whose span could not start is not in the trace around it', async () => {
  const spans = createSpans({
    shouldSample() {
      throw new Error('The sampler is broken')
    },
    toString: () => 'broken',
  })
  const { app, close, request } = await createTestApp({
    pkgIds: {},
    routes: {},
    endpoints: [route({ http: 'GET /here', access: 'public', handler: () => activeSpan() !== undefined })],
    plugins: [otel({ tracerProvider: spans.tracerProvider })],
  })
  await app.ready()
  const outer = createSpans().tracerProvider.getTracer('app').startSpan('outer')
  const answer = await context.with(trace.setSpan(ROOT_CONTEXT, outer), () => request('GET /here'))
  expect(answer.json()).toBe(false)
  await close()
})

it.each([
  ['42P01', '42P01'],
  ['EPIPE', undefined],
  ['timeout', undefined],
])('the code %s is a SQLSTATE: %s', (failure, expected) => {
  const spans = createSpans()
  const span = spans.tracerProvider.getTracer('app').startSpan('x')
  setFailure(span, failure)
  span.end()
  expect(spans.all()[0]?.attributes).toMatchObject({ 'error.type': failure })
  expect(spans.all()[0]?.attributes['db.response.status_code']).toBe(expected)
})
