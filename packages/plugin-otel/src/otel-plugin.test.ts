import { context, INVALID_TRACEID, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace-base'
import { ConflictError, event, guard, PermissionDeniedError, reply, route, stream } from '@twinwire/core'
import { traceOf } from '@twinwire/core/plugin'
import { createTestApp, onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { otel } from './otel-plugin.ts'
import { activeSpan, createSpans, kindOf, useContext } from './spans.fixtures.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'
const traceparent = `00-${traceId}-${spanId}-01`

const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const news = event({ data: v.object({ text: v.string() }) })
const refuses = guard({
  name: 'refuses',
  run: () => {
    throw new PermissionDeniedError()
  },
})
const pkgIds = { READ: 1, FAIL: 2, CONFLICT: 3, TELL: 4, ITEMS: 5, HANG: 6, SECRET: 7, NEWS: 100 } as const
const routes = {
  READ: route({
    http: 'GET /read/:id',
    access: 'public',
    input: v.object({ id: v.number() }),
    async handler(_input, call) {
      await later()
      trace.getTracer('app').startSpan('own').end()
      return { spanId: activeSpan()?.spanContext().spanId ?? null, trace: traceOf(call)?.spanId ?? null }
    },
  }),
  FAIL: route({
    http: 'GET /fail',
    access: 'public',
    handler: () => {
      throw new TypeError('password hunter2 at 10.0.0.1')
    },
  }),
  CONFLICT: route({
    http: 'GET /conflict',
    access: 'public',
    handler: () => {
      throw new ConflictError('That name is taken')
    },
  }),
  TELL: route({ access: 'public', handler: (_input, call) => call.publish('news:7', news, { text: 'x' }) }),
  ITEMS: route({
    access: 'public',
    output: stream(v.number()),
    handler: () =>
      (async function* () {
        for (let i = 0; ; i++) {
          yield i
          await later()
        }
      })(),
  }),
  HANG: route({
    http: 'GET /hang',
    access: 'public',
    handler: (_input, { signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve(null))),
  }),
  SECRET: route({
    http: 'GET /secret/:token',
    access: 'public',
    use: [refuses],
    input: v.object({ token: v.string() }),
    handler: () => 1,
  }),
} as const
const table = { pkgIds, routes, events: { NEWS: news }, topics: { 'news:*': { authorize: () => true } } } as const

beforeAll(useContext)

describe('otel()', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('makes a span of each call, whose trace its caller begins and in which the spans of the handler are', async () => {
      const spans = createSpans()
      trace.setGlobalTracerProvider(spans.tracerProvider)
      const { request, client } = await start({ ...table, plugins: [otel()] })
      const headers = { traceparent, tracestate: 'vendor=x', 'user-agent': 'test', cookie: 'session=hunter2' }
      const answer = (await request('GET /read/7?key=hunter2', { headers })).json() as { spanId: string; trace: string }
      const http = spans.named('GET /read/:id')[0]
      expect(answer).toEqual({ spanId: http?.spanContext().spanId, trace: http?.spanContext().spanId })
      expect(http?.parentSpanContext).toMatchObject({ traceId, spanId, isRemote: true })
      expect(http?.spanContext().traceState?.serialize()).toBe('vendor=x')
      expect(http?.attributes).toEqual({
        'http.request.method': 'GET',
        'http.route': '/read/:id',
        'http.response.status_code': 200,
        'url.path': '/read/7',
        'url.scheme': 'http',
        'user_agent.original': 'test',
        'client.address': expect.any(String),
        'twinwire.request_id': expect.any(String),
      })
      await (await client({ headers: { traceparent } })).call('READ', { id: 7 })
      const rpc = spans.named('READ')[0]
      expect(rpc?.parentSpanContext).toMatchObject({ traceId, spanId })
      expect(rpc?.attributes).toEqual({
        'rpc.system.name': 'twinwire',
        'rpc.method': 'READ',
        'rpc.response.status_code': 'ok',
        'client.address': expect.any(String),
        'twinwire.request_id': expect.any(String),
      })
      expect(spans.paths()).toEqual(['GET /read/:id', 'GET /read/:id > own', 'READ', 'READ > own'])
      expect([http, rpc].map((span) => span && kindOf(span))).toEqual(['SERVER', 'SERVER'])
      trace.disable()
    })

    it('tells errors of the server from those of callers, without what the caller does not get', async () => {
      const spans = createSpans()
      const { tracerProvider } = spans
      const { request, client, connect } = await start({
        ...table,
        plugins: [otel({ tracerProvider })],
      })
      await request('GET /fail')
      await request('GET /conflict')
      await request('GET /secret/hunter2')
      await request('GET /nowhere/token/hunter2')
      await request('BREW /read/7').catch(() => null)
      const socket = await client()
      await socket.call('FAIL').catch(() => null)
      await socket.call('CONFLICT').catch(() => null)
      const raw = await connect()
      raw.send(JSON.stringify({ pkg_id: 99, req_id: crypto.randomUUID(), method: '', data: null }))
      await raw.next()
      const rows = spans.all().map(({ name, status, attributes }) => ({
        name,
        isError: status.code === SpanStatusCode.ERROR,
        type: attributes['error.type'],
      }))
      expect(rows).toEqual(
        expect.arrayContaining([
          { name: 'GET /fail', isError: true, type: 'internal_error' },
          { name: 'GET /conflict', isError: false, type: 'conflict' },
          { name: 'GET /secret/:token', isError: false, type: 'permission_denied' },
          { name: 'GET', isError: false, type: 'not_found' },
          { name: 'FAIL', isError: true, type: 'internal_error' },
          { name: 'CONFLICT', isError: false, type: 'conflict' },
          { name: '_OTHER', isError: false, type: 'not_found' },
        ]),
      )
      expect(spans.named('FAIL')[0]?.events).toMatchObject([
        { name: 'exception', attributes: { 'exception.type': 'TypeError' } },
      ])
      const text = JSON.stringify(
        spans.all().map(({ name, attributes, events, status }) => ({ name, attributes, events, status })),
      )
      expect(text).not.toContain('hunter2')
      expect(text).not.toContain('10.0.0.1')
    })

    it('ends the span of a stream with the stream, and that of a call whose client leaves', async () => {
      const spans = createSpans()
      const { tracerProvider } = spans
      const { client, connect } = await start({ ...table, plugins: [otel({ tracerProvider })] })
      let count = 0
      for await (const _item of (await client()).stream('ITEMS')) {
        count += 1
        if (count < 3) expect(spans.named('ITEMS')).toEqual([])
        else break
      }
      await expect.poll(() => spans.named('ITEMS')[0]?.attributes['error.type']).toBe('cancelled')
      const raw = await connect()
      raw.send(JSON.stringify({ pkg_id: 6, req_id: crypto.randomUUID(), method: '', data: null }))
      await later()
      raw.close()
      await expect.poll(() => spans.named('HANG')[0]?.attributes['twinwire.aborted']).toBe(true)
      expect(spans.named('HANG')[0]?.status.code).toBe(SpanStatusCode.UNSET)
    })

    it('has publications inside of their call, and none outside of a span', async () => {
      const spans = createSpans()
      const { tracerProvider } = spans
      const { client, app } = await start({ ...table, plugins: [otel({ tracerProvider })] })
      await (await client()).call('TELL')
      await app.hub.publish('news:8', news, { text: 'outside' })
      await expect.poll(() => spans.paths()).toEqual(['TELL', 'TELL > publish news:*'])
      const [published] = spans.named('publish news:*')
      expect(published?.attributes).toMatchObject({
        'messaging.system': 'twinwire',
        'messaging.operation.name': 'publish',
        'messaging.operation.type': 'send',
        'messaging.destination.name': 'news:7',
        'messaging.destination.template': 'news:*',
        'twinwire.pkg_id': 100,
      })
      expect(published && kindOf(published)).toBe('PRODUCER')
    })

    it('has nothing of a call that is not sampled, nor of what it does', async () => {
      const spans = createSpans(new ParentBasedSampler({ root: new AlwaysOffSampler() }))
      const { tracerProvider } = spans
      trace.setGlobalTracerProvider(tracerProvider)
      const { client, request } = await start({ ...table, plugins: [otel({ tracerProvider })] })
      const socket = await client()
      await socket.call('TELL')
      const seen = await socket.call('READ', { id: 7 })
      expect(seen.spanId).toBe(seen.trace)
      expect(spans.all()).toEqual([])
      await request('GET /read/7', { headers: { traceparent } })
      await request('GET /read/7', { headers: { traceparent: `${traceparent.slice(0, -2)}00` } })
      expect(spans.paths()).toEqual(['GET /read/:id', 'GET /read/:id > own'])
      trace.disable()
    })

    it('does nothing without an SDK', async () => {
      const { request, client } = await start({ ...table, plugins: [otel()] })
      const answer = await request('GET /read/7', { headers: { traceparent } })
      expect(answer.json()).toEqual({ spanId: null, trace: null })
      expect(await (await client()).call('READ', { id: 7 })).toEqual({ spanId: null, trace: null })
    })
  })

  it('links to the trace of its caller, or ignores it', async () => {
    for (const remoteParent of ['link', 'ignore'] as const) {
      const spans = createSpans()
      const { request, close } = await createTestApp({
        ...table,
        plugins: [otel({ tracerProvider: spans.tracerProvider, remoteParent })],
      })
      await request('GET /conflict', { headers: { traceparent } })
      const [span] = spans.all()
      expect(span?.parentSpanContext).toBeUndefined()
      expect(span?.links.map((link) => link.context.traceId)).toEqual(remoteParent === 'link' ? [traceId] : [])
      await close()
    }
  })

  it('keeps the spans of two apps apart, and those of tasks and of other code together with what they do', async () => {
    const [first, second] = [createSpans(), createSpans()]
    const one = await createTestApp({ ...table, plugins: [otel({ tracerProvider: first.tracerProvider })] })
    let tell = async (): Promise<void> => {}
    const failing = { everyMs: 60_000, run: () => Promise.reject(new RangeError('no')) }
    const telling = { everyMs: 60_000, run: () => later().then(() => tell()) }
    const two = await createTestApp({
      ...table,
      tasks: { failing, telling },
      plugins: [otel({ tracerProvider: second.tracerProvider })],
    })
    tell = async () => void (await two.app.hub.publish('news:1', news, { text: 'x' }))
    await (await one.client()).call('TELL')
    const own = second.tracerProvider.getTracer('app').startSpan('job')
    await context.with(trace.setSpan(ROOT_CONTEXT, own), async () => {
      await two.app.hub.publish('news:2', news, { text: 'x' })
    })
    own.end()
    await expect
      .poll(() => second.paths())
      .toEqual(['job', 'job > publish news:*', 'task failing', 'task telling', 'task telling > publish news:*'])
    expect(second.named('task failing')[0]?.attributes['error.type']).toBe('RangeError')
    expect(first.paths()).toEqual(['TELL', 'TELL > publish news:*'])
    expect(first.all()[0]?.spanContext().traceId).not.toBe(INVALID_TRACEID)
    await one.close()
    await two.close()
  })

  it('ends the spans of calls that a closing app cuts off, and of uploads and bodies with them', async () => {
    const spans = createSpans()
    const endpoints = [
      route({
        http: { route: 'POST /upload', body: 'stream' },
        access: 'public',
        async handler(_input, call) {
          let size = 0
          for await (const part of call.body) size += part.length
          return { size, span: activeSpan() !== undefined }
        },
      }),
      route({ http: 'GET /body', access: 'public', handler: () => reply.stream(body()) }),
    ]
    async function* body() {
      yield 'a'
      await later()
      yield 'b'
    }
    const { request, client, app } = await createTestApp(
      {
        ...table,
        endpoints,
        drainTimeoutMs: 50,
        plugins: [otel({ tracerProvider: spans.tracerProvider })],
      },
      { leftovers: 'allow' },
    )
    const uploaded = await request('POST /upload', { body: new Uint8Array(100_000) })
    expect(uploaded.json()).toEqual({ size: 100_000, span: true })
    expect((await request('GET /body')).text).toBe('ab')
    await expect.poll(() => spans.paths()).toEqual(['GET /body', 'POST /upload'])
    const hanging = (await client()).call('HANG').catch(() => null)
    await later()
    await app.close()
    await hanging
    expect(spans.named('HANG')).toHaveLength(1)
  })

  it.each([
    [{ remoteParent: 'trust' as never }, "otel(): remoteParent must be one of 'continue', 'link', 'ignore'"],
    [
      { tracerProvider: {} as never },
      'otel(): tracerProvider must be a TracerProvider of OpenTelemetry, which has getTracer()',
    ],
  ])('refuses %o', async (options, message) => {
    await expect(createTestApp({ ...table, plugins: [otel(options)] })).rejects.toThrow(message)
  })
})
