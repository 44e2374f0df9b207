import { EventEmitter, on } from 'node:events'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { type Call, interceptor, reply, route, type StreamSource } from '../index.ts'
import { deferred, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

interface Idle {
  readonly source: StreamSource
  /** It holds nothing any more. */
  readonly ended: Promise<unknown>
}

/** Each gives `tick` and then nothing, until it is ended or `call.signal` says so. */
const idleSources: [what: string, make: (signal: AbortSignal) => Idle][] = [
  [
    'an async generator that waits with call.signal',
    (signal) => {
      const ended = deferred()
      const source = (async function* () {
        try {
          yield 'tick'
          await delay(3_600_000, undefined, { signal })
        } finally {
          ended.resolve()
        }
      })()
      return { source, ended: ended.promise }
    },
  ],
  [
    'an async generator that waits for an event of call.signal',
    (signal) => {
      const ended = deferred()
      const source = (async function* () {
        yield 'tick'
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
        ended.resolve()
      })()
      return { source, ended: ended.promise }
    },
  ],
  [
    'an iterator',
    () => {
      const ended = deferred()
      let given = false
      const iterator: AsyncIterableIterator<string> = {
        [Symbol.asyncIterator]: () => iterator,
        next: () => {
          if (given) return new Promise(() => {})
          given = true
          return Promise.resolve({ done: false, value: 'tick' })
        },
        return: () => {
          ended.resolve()
          return Promise.resolve({ done: true, value: undefined })
        },
      }
      return { source: iterator, ended: ended.promise }
    },
  ],
  [
    'events',
    () => {
      const emitter = new EventEmitter()
      const events = on(emitter, 'line')
      emitter.emit('line', 'tick')
      const source = { [Symbol.asyncIterator]: () => lines(events) }
      return { source, ended: until(() => emitter.listenerCount('line') === 0) }
    },
  ],
  [
    'a stream of Node',
    () => {
      const ended = deferred()
      const source = quietStream(ended.resolve)
      source.push('tick')
      return { source, ended: ended.promise }
    },
  ],
  [
    'a stream of the web',
    () => {
      const ended = deferred()
      const source = new ReadableStream<string>({
        start: (controller) => controller.enqueue('tick'),
        cancel: () => ended.resolve(),
      })
      return { source, ended: ended.promise }
    },
  ],
]

function quietStream(ended: () => void): Readable {
  return new Readable({
    read() {},
    destroy(error, done) {
      ended()
      done(error)
    },
  })
}

/** `events.on` gives lists of arguments. */
function lines(events: AsyncIterableIterator<unknown[]>): AsyncIterator<string> {
  return {
    next: async () => {
      const { done, value } = await events.next()
      return done === true ? { done, value: undefined } : { done: false, value: String(value[0]) }
    },
    return: async () => {
      await events.return?.()
      return { done: true, value: undefined }
    },
  }
}

const endpoint = (handler: (call: Call) => unknown) =>
  route({ http: 'GET /ticks', access: 'public', handler: (_input, call) => handler(call) })

describe('a streamed answer', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const serve = async (handler: (call: Call) => unknown, options: object = {}) => {
      const app = await start({ pkgIds: {}, routes: {}, endpoints: [endpoint(handler)], ...options })
      const before = app.logs.length
      const complaints = () =>
        app.logs.slice(before).filter(({ level }) => level === 'warn' || level === 'error' || level === 'fatal')
      return { ...app, complaints }
    }

    const idle = async (make: (signal: AbortSignal) => Idle, options: object = {}) => {
      const made = deferred<Idle>()
      const signals: AbortSignal[] = []
      const app = await serve(({ signal }) => {
        const one = make(signal)
        signals.push(signal)
        made.resolve(one)
        return reply.stream(one.source)
      }, options)
      return { ...app, made: made.promise, signals }
    }

    describe.each(idleSources)('of %s', (_what, make) => {
      it('is ended when its client disconnects while it yields nothing, and nothing is logged', async () => {
        const { raw, made, signals, complaints, app } = await idle(make, { drainTimeoutMs: 3_600_000 })
        const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
        for await (const _chunk of body) break
        await (await made).ended
        expect(signals[0]?.aborted).toBe(true)
        // It does not hold the drain either.
        await app.close()
        expect(complaints()).toEqual([])
      })

      it('is ended on HEAD, before it has given anything', async () => {
        const { request, made, signals, complaints, app } = await idle(make, { drainTimeoutMs: 3_600_000 })
        expect((await request('HEAD /ticks')).status).toBe(200)
        await until(() => signals[0]?.aborted === true)
        // A generator that has not begun has nothing to end.
        if (!_what.startsWith('an async generator') && _what !== 'events') await (await made).ended
        await app.close()
        expect(complaints()).toEqual([])
      })

      it('is ended by the drain after a second', async () => {
        const clock = createVirtualClock()
        const { raw, made, signals, complaints, app } = await idle(make, { clock, drainTimeoutMs: 3_600_000 })
        const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
        const iterator = body[Symbol.asyncIterator]()
        await iterator.next()
        const closed = app.close()
        let done = false
        void closed.finally(() => {
          done = true
        })
        await clock.advance(500)
        expect([done, signals[0]?.aborted]).toEqual([false, false])
        while (!done) await clock.advance(500)
        expect(clock.monotonic()).toBeLessThan(10_000)
        await (await made).ended
        await iterator.next().catch(() => undefined)
        expect(complaints()).toEqual([])
      })
    })

    it('is whole when its source ends by itself as it is told to by the drain', async () => {
      const clock = createVirtualClock()
      const { raw, app } = await serve(
        ({ signal }) =>
          reply.stream(
            (async function* () {
              yield 'one '
              await new Promise((resolve) => signal.addEventListener('abort', resolve))
              yield 'and the last'
            })(),
          ),
        { clock },
      )
      const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
      const chunks: string[] = []
      const read = (async () => {
        for await (const chunk of body) chunks.push(Buffer.from(chunk).toString())
      })()
      await until(() => chunks.length === 1)
      const closed = app.close()
      await clock.advance(1000)
      await read
      expect(chunks.join('')).toBe('one and the last')
      await clock.advance(10_000)
      await closed
    })

    it('goes on through the drain as long as its source gives something, and arrives whole', async () => {
      const clock = createVirtualClock()
      const next: (() => void)[] = []
      const { raw, app } = await serve(
        () =>
          reply.stream(
            (async function* () {
              for (let i = 0; i < 20; i++) {
                await new Promise<void>((resolve) => next.push(resolve))
                yield `${i} `
              }
            })(),
          ),
        { clock, drainTimeoutMs: 60_000 },
      )
      const response = raw.request({ method: 'GET', path: '/ticks' })
      await until(() => next.length === 1)
      const closed = app.close()
      for (let i = 0; i < 20; i++) {
        await clock.advance(400)
        await until(() => next.length === i + 1)
        next[i]?.()
      }
      expect(
        Buffer.from((await response).body)
          .toString()
          .split(' '),
      ).toHaveLength(21)
      await clock.advance(60_000)
      await closed
    })

    it('that is late for its call, which was given up, is ended', async () => {
      for (const why of ['deadline', 'client']) {
        const clock = createVirtualClock()
        const go = deferred()
        const begun = deferred()
        const ended = deferred()
        const { raw, complaints } = await serve(
          async () => {
            begun.resolve()
            await go.promise
            return reply.stream(quietStream(ended.resolve))
          },
          { clock, deadlineMs: 1000 },
        )
        const leaving = new AbortController()
        const response = raw.request({ method: 'GET', path: '/ticks', signal: leaving.signal }).catch(() => null)
        await begun.promise
        if (why === 'deadline') await clock.advance(1000)
        else leaving.abort()
        expect((await response)?.status).toBe(why === 'deadline' ? 504 : undefined)
        // The server notices it a little later.
        for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
        go.resolve()
        await ended.promise
        expect(complaints()).toEqual([])
      }
    })

    it('whose headers cannot be sent is an internal error, and its source is ended', async () => {
      const ended = deferred()
      const { request } = await serve(() =>
        reply.stream(quietStream(ended.resolve), {
          headers: { 'x-a': 'a\r\nb' },
        }),
      )
      expect((await request('GET /ticks')).status).toBe(500)
      await ended.promise
    })

    it('that an interceptor does not let through is ended', async () => {
      const ended = deferred()
      const failing = interceptor({
        name: 'failing',
        run: async (_call, next) => {
          await next()
          throw new Error('the commit failed')
        },
      })
      const app = await start({
        pkgIds: {},
        routes: {},
        endpoints: [
          route({
            http: 'GET /ticks',
            access: 'public',
            use: [failing],
            handler: () => reply.stream(quietStream(ended.resolve)),
          }),
        ],
      })
      expect((await app.request('GET /ticks')).status).toBe(500)
      await ended.promise
    })

    it('that fails after its client has left, for a reason of its own, is a warning', async () => {
      const { raw, complaints } = await serve(({ signal }) =>
        reply.stream(
          (async function* () {
            yield 'tick'
            await new Promise((resolve) => signal.addEventListener('abort', resolve))
            throw new Error('the disk failed')
          })(),
        ),
      )
      const { body } = await raw.stream({ method: 'GET', path: '/ticks' })
      for await (const _chunk of body) break
      await until(() => complaints().length > 0)
      expect(complaints()).toMatchObject([{ level: 'warn', fields: { err: { message: 'the disk failed' } } }])
    })
  })
})
