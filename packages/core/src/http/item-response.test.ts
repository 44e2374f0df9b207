import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { ConflictError, reply, route, stream } from '../index.ts'
import { deferred, plugin, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const Item = v.object({ n: v.number() })
const Any = v.any()
const events = { accept: 'text/event-stream' }

async function* count(to: number): AsyncGenerator<{ n: number }> {
  for (let n = 1; n <= to; n++) yield { n }
}

/** The text of a body as it arrives. */
async function* strings(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  for await (const chunk of body) yield Buffer.from(chunk).toString()
}

interface ServerSentEvent {
  readonly event: string
  readonly data: unknown
}

/** As an EventSource reads them (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function readEvents(text: string): ServerSentEvent[] {
  return text
    .split('\n\n')
    .filter((block) => block !== '' && block !== ':')
    .map((block) => {
      const fields = new Map(block.split('\n').map((line): [string, string] => split(line)))
      return { event: fields.get('event') ?? 'message', data: JSON.parse(fields.get('data') ?? '') }
    })
}

function split(line: string): [string, string] {
  const colon = line.indexOf(': ')
  return [line.slice(0, colon), line.slice(colon + 2)]
}

function watch(outcomes: CallOutcome[]) {
  return plugin((host) => host.onReply((_call, outcome) => void outcomes.push(outcome)))
}

describe('a streamed reply over HTTP', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is NDJSON, a line for each item, that nothing stores or holds back', async () => {
      const outcomes: CallOutcome[] = []
      const { request } = await start({
        pkgIds: { COUNT: 1 },
        routes: { COUNT: route({ http: 'GET /count', output: stream(Item), handler: () => count(2) }) },
        plugins: [watch(outcomes)],
      })
      const { status, headers, text } = await request('GET /count')
      expect([status, text]).toEqual([200, '{"n":1}\n{"n":2}\n'])
      expect(headers).toMatchObject({
        'content-type': 'application/x-ndjson',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'x-content-type-options': 'nosniff',
      })
      expect(outcomes).toMatchObject([{ error: null, aborted: false, httpStatus: 200 }])
    })

    it('is server-sent events for a client that prefers them, with an event for its end', async () => {
      const { request } = await start({
        pkgIds: { COUNT: 1 },
        routes: { COUNT: route({ http: 'GET /count', output: stream(Item), handler: () => count(2) }) },
      })
      const { headers, text } = await request('GET /count', { headers: events })
      expect(text).toBe('data: {"n":1}\n\ndata: {"n":2}\n\nevent: end\ndata: null\n\n')
      expect(headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
      const lines = await request('GET /count', {
        headers: { accept: 'application/x-ndjson, text/event-stream;q=0.5' },
      })
      expect(lines.headers['content-type']).toBe('application/x-ndjson')
    })

    it('has the status and the headers of reply(), but for those of its format', async () => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'POST /count',
            output: stream(Item),
            handler: () => reply(count(1), { status: 202, headers: { 'x-own': 'yes', 'content-type': 'text/plain' } }),
          }),
        ],
      })
      const { status, headers, text } = await request('POST /count')
      expect([status, text, headers['x-own']]).toEqual([202, '{"n":1}\n', 'yes'])
      expect(headers['content-type']).toBe('application/x-ndjson')
    })

    it('is empty without items, and has no body on HEAD, where the source is closed', async () => {
      const ended = deferred()
      async function* endless() {
        try {
          for (let n = 0; ; n++) yield { n }
        } finally {
          ended.resolve()
        }
      }
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({ http: 'GET /empty', output: stream(Item), handler: () => [] }),
          route({ http: 'GET /endless', output: stream(Item), handler: endless }),
        ],
      })
      const empty = await request('GET /empty')
      expect([empty.status, empty.text]).toEqual([200, ''])
      expect((await request('GET /empty', { headers: events })).text).toBe('event: end\ndata: null\n\n')
      const head = await request('HEAD /endless')
      expect([head.status, head.text, head.headers['content-type']]).toEqual([200, '', 'application/x-ndjson'])
      await ended.promise
    })

    it('is an ordinary error response for an error before the first item', async () => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /fails',
            output: stream(Item),
            // biome-ignore lint/correctness/useYield: it fails before the first item
            handler: async function* (): AsyncGenerator<{ n: number }> {
              throw new ConflictError('It has changed')
            },
          }),
        ],
      })
      for (const headers of [{}, events]) {
        const answer = await request('GET /fails', { headers })
        expect(answer.status).toBe(409)
        expect(answer.headers['content-type']).toBe('application/json')
        expect(answer.json()).toEqual({ error: { code: 'conflict', msg: 'It has changed', details: null } })
      }
    })

    it('ends with the error of a source that fails in the middle, and is reported with it', async () => {
      const outcomes: CallOutcome[] = []
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /fails',
            output: stream(Item),
            handler: async function* () {
              yield { n: 1 }
              throw new ConflictError('It has changed')
            },
          }),
        ],
        plugins: [watch(outcomes)],
      })
      const error = '{"error":{"code":"conflict","msg":"It has changed","details":null}}'
      expect((await request('GET /fails')).text).toBe(`{"n":1}\n${error}\n`)
      expect((await request('GET /fails', { headers: events })).text).toBe(
        `data: {"n":1}\n\nevent: error\ndata: ${error}\n\n`,
      )
      expect(outcomes).toMatchObject([
        { error: { code: 'conflict' }, httpStatus: 409 },
        { error: { code: 'conflict' }, httpStatus: 409 },
      ])
    })

    it('sends each item as it comes, 10,000 of them', async () => {
      const go = deferred()
      const { raw, request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /slow',
            output: stream(Item),
            handler: async function* () {
              yield { n: 1 }
              await go.promise
              yield { n: 2 }
            },
          }),
          route({ http: 'GET /many', output: stream(Item), handler: () => count(10_000) }),
        ],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/slow' })
      const read: string[] = []
      for await (const text of strings(body)) {
        read.push(text)
        go.resolve()
      }
      expect(read.join('')).toBe('{"n":1}\n{"n":2}\n')
      const lines = (await request('GET /many')).text.trimEnd().split('\n')
      expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 10_000 }, (_, i) => i + 1))
    })

    it('is not read while its client is slow, and ends when that disconnects', async () => {
      const pad = 'x'.repeat(64 * 1024)
      const outcomes: CallOutcome[] = []
      const ended = deferred()
      let made = 0
      async function* padded() {
        try {
          for (made = 0; made < 100_000; made++) yield pad
        } finally {
          ended.resolve()
        }
      }
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'GET /padded', output: stream(v.string()), handler: padded })],
        plugins: [watch(outcomes)],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/padded' })
      for await (const _chunk of body) {
        // The system takes some megabytes before it is felt.
        let before = -1
        while (made !== before) {
          before = made
          await delay(50)
        }
        expect(made).toBeLessThan(10_000)
        break
      }
      await ended.promise
      await until(() => outcomes.length > 0)
      expect(outcomes).toMatchObject([{ aborted: true, httpStatus: 499 }])
    })

    it('ends at its deadline, with the error as the last line', async () => {
      const clock = createVirtualClock()
      const ended = deferred()
      const { raw } = await start({
        clock,
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /waits',
            output: stream(Item),
            deadlineMs: 1000,
            handler: async function* (_input, { signal }) {
              try {
                yield { n: 1 }
                await delay(3_600_000, undefined, { signal })
              } finally {
                ended.resolve()
              }
            },
          }),
        ],
      })
      const { body } = await raw.stream({ method: 'GET', path: '/waits' })
      const read: string[] = []
      for await (const text of strings(body)) {
        read.push(text)
        if (read.length === 1) await clock.advance(1000)
      }
      await ended.promise
      expect(read.join('')).toBe(
        '{"n":1}\n{"error":{"code":"deadline_exceeded","msg":"Deadline exceeded","details":{"deadline_ms":1000}}}\n',
      )
    })

    it('of server-sent events has a comment every 15 s without an item, also before the first', async () => {
      const clock = createVirtualClock()
      const go = deferred()
      const failing = deferred()
      const started = deferred()
      const { raw } = await start({
        clock,
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /quiet',
            output: stream(Item),
            deadlineMs: 0,
            handler: async function* () {
              started.resolve()
              await go.promise
              yield { n: 1 }
              await failing.promise
              throw new ConflictError()
            },
          }),
        ],
      })
      const opened = raw.stream({ method: 'GET', path: '/quiet', headers: events })
      await started.promise
      await clock.advance(15_000)
      const { body, status } = await opened
      expect(status).toBe(200)
      const read: string[] = []
      for await (const text of strings(body)) {
        read.push(text)
        if (read.length === 1) go.resolve()
        else if (read.length === 2) {
          await clock.advance(14_000)
          await clock.advance(1000)
        } else failing.resolve()
      }
      expect(read.slice(0, 3)).toEqual([':\n\n', 'data: {"n":1}\n\n', ':\n\n'])
      expect(readEvents(read.slice(3).join(''))).toMatchObject([
        { event: 'error', data: { error: { code: 'conflict' } } },
      ])
    })

    it('may finish during a drain, or is cut by it with an error', async () => {
      const clock = createVirtualClock()
      const go = deferred()
      const { raw, app } = await start({
        clock,
        drainTimeoutMs: 5000,
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /finishes',
            output: stream(Item),
            handler: async function* () {
              yield { n: 1 }
              await go.promise
            },
          }),
          route({
            http: 'GET /waits',
            output: stream(Item),
            deadlineMs: 0,
            handler: async function* (_input, { signal }) {
              yield { n: 1 }
              await delay(3_600_000, undefined, { signal })
            },
          }),
        ],
      })
      const begun = [deferred(), deferred()] as const
      const read = async (path: string, first: (typeof begun)[number]) => {
        const { body } = await raw.stream({ method: 'GET', path })
        const all: string[] = []
        const done = (async () => {
          for await (const text of strings(body)) {
            all.push(text)
            first.resolve()
          }
          return all.join('')
        })()
        return done
      }
      const [finishing, waiting] = [read('/finishes', begun[0]), read('/waits', begun[1])]
      await Promise.all(begun.map(({ promise }) => promise))
      const closed = app.close()
      go.resolve()
      expect(await finishing).toBe('{"n":1}\n')
      for (let i = 0; i < 10; i++) await clock.advance(1000)
      expect(await waiting).toContain('{"error":{"code":"unavailable"')
      await closed
    })

    it('carries any item that JSON can, in both formats', async () => {
      let given: readonly unknown[] = []
      const { request } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'GET /any', output: stream(Any), handler: () => given })],
      })
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.oneof(fc.jsonValue(), fc.string({ unit: 'grapheme' })), { maxLength: 20 }),
          async (items) => {
            given = items
            const wanted = JSON.parse(JSON.stringify(items))
            const { text } = await request('GET /any')
            expect(
              text === ''
                ? []
                : text
                    .trimEnd()
                    .split('\n')
                    .map((line) => JSON.parse(line)),
            ).toEqual(wanted)
            expect(text === '' || text.endsWith('\n')).toBe(true)
            const sent = readEvents((await request('GET /any', { headers: events })).text)
            expect(sent.at(-1)).toEqual({ event: 'end', data: null })
            expect(sent.slice(0, -1)).toEqual(wanted.map((data: unknown) => ({ event: 'message', data })))
          },
        ),
        { numRuns: 100 },
      )
    })
  })
})
