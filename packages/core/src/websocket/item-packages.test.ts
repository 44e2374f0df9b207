import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { BaseCommand, type Call, ConflictError, guard, type ItemSource, reply, route, stream } from '../index.ts'
import { codeOf, deferred, nextJson, packet, plugin, type ReplyFrame, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports, type RawSocket } from '../testing.ts'

const Item = v.object({ n: v.number() })
const Count = v.object({ to: v.number() })
const reqId = '6f3b7a52-0c1e-4a7e-9d4f-0a1b2c3d4e5f'

async function* count(to: number, from = 1): AsyncGenerator<{ n: number; secret: string }> {
  for (let n = from; n <= to; n++) yield { n, secret: 'stays' }
}

/** Yields one item, and then waits for `call.signal`. */
async function* oneAndWait({ signal }: Call, ended: () => void): AsyncGenerator<{ n: number }> {
  try {
    yield { n: 1 }
    await delay(3_600_000, undefined, { signal })
  } finally {
    ended()
  }
}

const sources: Readonly<Record<string, () => ItemSource<{ n: number }>>> = {
  'an async generator': () => count(3),
  'an array': () => [{ n: 1 }, { n: 2 }, { n: 3 }],
  'a set': () => new Set([{ n: 1 }, { n: 2 }, { n: 3 }]),
  'a stream of the web': () => ReadableStream.from([{ n: 1 }, { n: 2 }, { n: 3 }]),
  'a stream of Node': () => Readable.from([{ n: 1 }, { n: 2 }, { n: 3 }]),
}

class CountCommand extends BaseCommand<{ to: number }, AsyncIterable<{ n: number }>> {
  execute({ to }: { to: number }): AsyncIterable<{ n: number }> {
    return count(to)
  }
}

/** The numbers of the items, and the last package. */
async function readAll(next: () => Promise<ReplyFrame>): Promise<[numbers: number[], last: ReplyFrame]> {
  const numbers: number[] = []
  for (;;) {
    const frame = await next()
    if (frame.meta === null) return [numbers, frame]
    expect(frame).toMatchObject({ status_code: 0, meta: { more: true } })
    numbers.push((frame.data as { n: number }).n)
  }
}

/** What was sent before has been handled. */
async function pong(socket: RawSocket): Promise<void> {
  socket.send('{"type":"ping","id":1}')
  expect(await nextJson<unknown>(socket)).toEqual({ type: 'pong', id: 1 })
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

function watch(outcomes: CallOutcome[]) {
  return plugin((host) => host.onReply((_call, outcome) => void outcomes.push(outcome)))
}

describe('a streamed reply over WebSocket', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is a package for each item, with keys of the schema only, and a last one without more', async () => {
      const outcomes: CallOutcome[] = []
      const { connect } = await start({
        pkgIds: { COUNT: 1 },
        routes: { COUNT: route({ input: Count, output: stream(Item), handler: ({ to }) => count(to) }) },
        plugins: [watch(outcomes)],
      })
      const socket = await connect()
      socket.send(packet(1, { to: 2 }, reqId))
      const head = `{"pkg_id":1,"req_id":"${reqId}","status_code":0,"meta":`
      const strings = [await socket.next(), await socket.next(), await socket.next()].map(({ data }) => data)
      expect(strings).toEqual([
        `${head}{"more":true},"data":{"n":1}}`,
        `${head}{"more":true},"data":{"n":2}}`,
        `${head}null,"data":null}`,
      ])
      expect(outcomes).toMatchObject([{ error: null, aborted: false, httpStatus: 200 }])
    })

    it.each(Object.entries(sources))('reads %s', async (_what, source) => {
      const { client } = await start({
        pkgIds: { COUNT: 1 },
        routes: { COUNT: route({ output: stream(Item), handler: source }) },
      })
      const items: { n: number }[] = []
      for await (const item of (await client()).stream('COUNT')) items.push(item)
      expect(items).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }])
    })

    it('comes from a command, an async handler or reply() too, and may be empty', async () => {
      const { client } = await start({
        pkgIds: { COMMAND: 1, LATER: 2, REPLY: 3, EMPTY: 4 },
        routes: {
          COMMAND: route({ input: Count, output: stream(Item), command: () => new CountCommand() }),
          LATER: route({ output: stream(Item), handler: async () => count(2) }),
          REPLY: route({ http: 'GET /r', output: stream(Item), handler: () => reply(count(2), { status: 202 }) }),
          EMPTY: route({ output: stream(Item), handler: () => [] }),
        },
      })
      const { stream: read } = await client()
      expect((await collect(read('COMMAND', { to: 2 }))).length).toBe(2)
      expect((await collect(read('LATER'))).length).toBe(2)
      expect((await collect(read('REPLY'))).length).toBe(2)
      expect(await collect(read('EMPTY'))).toEqual([])
    })

    it('sends 10,000 items in order, and lets other calls have their turn', async () => {
      const { connect } = await start({
        pkgIds: { COUNT: 1, PING: 2 },
        routes: {
          COUNT: route({ input: Count, output: stream(Item), handler: ({ to }) => count(to) }),
          PING: route({ handler: () => 'pong' }),
        },
      })
      const [socket, other] = [await connect(), await connect()]
      socket.send(packet(1, { to: 10_000 }))
      expect((await nextJson(socket)).data).toEqual({ n: 1 })
      other.send(packet(2))
      expect((await nextJson(other)).data).toBe('pong')
      const [numbers, last] = await readAll(() => nextJson(socket))
      expect(numbers).toEqual(Array.from({ length: 9999 }, (_, i) => i + 2))
      expect(last.status_code).toBe(0)
    })

    it('ends with the error that its source throws, or that an item causes', async () => {
      const outcomes: CallOutcome[] = []
      let ended = 0
      async function* counted() {
        try {
          yield* count(3)
        } finally {
          ended++
        }
      }
      async function* failing() {
        yield { n: 1 }
        throw new ConflictError('It has changed')
      }
      const { connect, logs } = await start({
        pkgIds: { THROWS: 1, FAULTY: 2, WRONG: 3, AT_ONCE: 4, NOTHING: 5 },
        routes: {
          THROWS: route({ output: stream(Item), handler: failing }),
          FAULTY: route({
            output: stream(Item),
            handler: async function* () {
              yield { n: 1 }
              throw new Error('secret')
            },
          }),
          WRONG: route({ output: stream(v.object({ n: v.pipe(v.number(), v.maxValue(1)) })), handler: counted }),
          AT_ONCE: route({
            output: stream(Item),
            handler: (): ItemSource<{ n: number }> => {
              throw new ConflictError()
            },
          }),
          NOTHING: route({ output: stream(Item), handler: () => 7 as unknown as [] }),
        },
        plugins: [watch(outcomes)],
      })
      const socket = await connect()
      const ask = (pkgId: number) => {
        socket.send(packet(pkgId))
        return readAll(() => nextJson(socket))
      }
      const [items, last] = await ask(1)
      expect([items, codeOf(last), last.status_code]).toEqual([[1], 'conflict', 2])
      expect((await ask(2))[1]).toMatchObject({
        status_code: 1,
        data: { code: 'internal_error', msg: 'Internal error' },
      })
      const wrong = await ask(3)
      expect([wrong[0], codeOf(wrong[1]), ended]).toEqual([[1], 'internal_error', 1])
      expect(codeOf((await ask(4))[1])).toBe('conflict')
      expect(codeOf((await ask(5))[1])).toBe('internal_error')
      expect(outcomes.map(({ error }) => error?.code)).toEqual([
        'conflict',
        'internal_error',
        'internal_error',
        'conflict',
        'internal_error',
      ])
      const failed = logs.filter(({ message }) => message === 'A call failed')
      expect(failed.map(({ fields }) => String(fields.err))).toEqual([
        'Error: secret',
        expect.stringContaining('does not match the output schema'),
        'TypeError: a route with output: stream(…) must return an async iterable, or another iterable object',
      ])
    })

    it('is not read while its client is slow, and goes on when it reads', async () => {
      const pad = 'x'.repeat(16 * 1024)
      let made = 0
      async function* padded() {
        for (made = 0; made < 2000; made++) yield { n: made, pad }
      }
      const { connect } = await start({
        pkgIds: { PADDED: 1 },
        routes: { PADDED: route({ output: stream(v.object({ n: v.number(), pad: v.string() })), handler: padded }) },
        websocket: { maxBackpressureBytes: 128 * 1024 },
      })
      const socket = await connect()
      socket.pause()
      socket.send(packet(1))
      await until(() => made > 0)
      // The system takes some megabytes before the limit is felt.
      let before = -1
      while (made !== before) {
        before = made
        await delay(50)
      }
      expect(made).toBeLessThan(1500)
      socket.resume()
      const [numbers] = await readAll(() => nextJson(socket))
      expect(numbers).toEqual(Array.from({ length: 2000 }, (_, i) => i))
    })

    it('ends with its connection: the source is closed, and the call is reported as aborted', async () => {
      const outcomes: CallOutcome[] = []
      const ended = deferred()
      const { connect, app } = await start({
        pkgIds: { WAIT: 1 },
        routes: {
          WAIT: route({ output: stream(Item), handler: (_input, call) => oneAndWait(call, ended.resolve) }),
        },
        plugins: [watch(outcomes)],
      })
      const socket = await connect()
      socket.send(packet(1))
      await nextJson(socket)
      expect(outcomes).toEqual([])
      socket.terminate()
      await ended.promise
      await until(() => app.hub.size === 0)
      expect(outcomes).toMatchObject([{ aborted: true, httpStatus: 499 }])
    })

    it('ends at its deadline, wherever it waits', async () => {
      const clock = createVirtualClock()
      const ended = deferred()
      const { connect } = await start({
        clock,
        pkgIds: { WAIT: 1, NEVER: 2, HANDLER: 3, ENDLESS: 4 },
        routes: {
          WAIT: route({
            output: stream(Item),
            deadlineMs: 1000,
            handler: (_input, call) => oneAndWait(call, ended.resolve),
          }),
          NEVER: route({
            output: stream(Item),
            deadlineMs: 1000,
            handler: (_input, { signal }) =>
              // biome-ignore lint/correctness/useYield: it never gets so far
              (async function* (): AsyncGenerator<{ n: number }> {
                await delay(3_600_000, undefined, { signal })
              })(),
          }),
          HANDLER: route({
            output: stream(Item),
            deadlineMs: 1000,
            handler: async (_input, { signal }) => {
              await delay(3_600_000, undefined, { signal })
              return count(1)
            },
          }),
          ENDLESS: route({
            output: stream(Item),
            deadlineMs: 0,
            handler: (_input, call) => oneAndWait(call, () => {}),
          }),
        },
      })
      const socket = await connect()
      socket.send(packet(4))
      await nextJson(socket)
      for (const pkgId of [1, 2, 3]) {
        socket.send(packet(pkgId))
        if (pkgId === 1) await nextJson(socket)
        else await pong(socket)
        await clock.advance(1000)
        const last = await nextJson(socket)
        expect([last.pkg_id, last.meta, codeOf(last)]).toEqual([pkgId, null, 'deadline_exceeded'])
      }
      await ended.promise
      // The one without a deadline still runs.
      await clock.advance(3_000_000)
      expect(socket.frames).toEqual([])
      socket.terminate()
    })

    it('counts towards maxInFlight until its end', async () => {
      const go = deferred()
      const { connect } = await start({
        pkgIds: { HELD: 1 },
        routes: {
          HELD: route({
            output: stream(Item),
            handler: async function* () {
              yield { n: 1 }
              await go.promise
            },
          }),
        },
        websocket: { maxInFlight: 1 },
      })
      const socket = await connect()
      socket.send(packet(1))
      await nextJson(socket)
      socket.send(packet(1))
      expect(codeOf(await nextJson(socket))).toBe('too_many_in_flight')
      go.resolve()
      expect((await nextJson(socket)).meta).toBeNull()
      socket.send(packet(1))
      expect((await nextJson(socket)).meta).toEqual({ more: true })
      expect((await nextJson(socket)).meta).toBeNull()
    })

    it('of an ordered route is over before the next one begins, and its source is', async () => {
      const clock = createVirtualClock()
      const steps: string[] = []
      const go = deferred()
      async function* held({ n }: { n: number }) {
        steps.push(`begin ${n}`)
        try {
          yield { n }
          if (n === 1) await go.promise
        } finally {
          steps.push(`end ${n}`)
        }
      }
      const { connect } = await start({
        clock,
        pkgIds: { HELD: 1 },
        routes: { HELD: route({ ordered: true, deadlineMs: 1000, input: Item, output: stream(Item), handler: held }) },
      })
      const socket = await connect()
      socket.send(packet(1, { n: 1 }))
      socket.send(packet(1, { n: 2 }))
      expect((await nextJson(socket)).data).toEqual({ n: 1 })
      await pong(socket)
      await clock.advance(1000)
      // Both are late; the source of the first still waits, so the second never began.
      expect(codeOf(await nextJson(socket))).toBe('deadline_exceeded')
      expect(codeOf(await nextJson(socket))).toBe('deadline_exceeded')
      socket.send(packet(1, { n: 3 }))
      await delay(20)
      expect(steps).toEqual(['begin 1'])
      go.resolve()
      expect((await nextJson(socket)).data).toEqual({ n: 3 })
      expect((await nextJson(socket)).meta).toBeNull()
      expect(steps).toEqual(['begin 1', 'end 1', 'begin 3', 'end 3'])
    })

    it('is cancelled by its client in every state, with a last package', async () => {
      const outcomes: CallOutcome[] = []
      const ended: string[] = []
      const never = deferred()
      const pad = 'x'.repeat(16 * 1024)
      const wait = (signal: AbortSignal, what: string) =>
        delay(3_600_000, undefined, { signal }).catch((error) => {
          ended.push(what)
          throw error
        })
      const Padded = v.object({ n: v.number(), pad: v.optional(v.string()) })
      const { connect } = await start({
        pkgIds: { GUARDED: 1, HANDLER: 2, FIRST: 3, MIDDLE: 4, SLOW: 5, QUEUED: 6, DEAF: 7 },
        routes: {
          GUARDED: route({
            use: [guard({ name: 'slow', run: ({ signal }) => wait(signal, 'guard').then(() => {}) })],
            output: stream(Item),
            handler: () => count(1),
          }),
          HANDLER: route({
            output: stream(Item),
            handler: (_input, { signal }) => wait(signal, 'handler').then(() => count(1)),
          }),
          FIRST: route({
            output: stream(Item),
            async *handler(_input, { signal }) {
              await wait(signal, 'first')
              yield { n: 1 }
            },
          }),
          MIDDLE: route({
            output: stream(Item),
            handler: (_input, call) => oneAndWait(call, () => ended.push('middle')),
          }),
          SLOW: route({
            output: stream(Padded),
            async *handler() {
              try {
                for (let n = 0; ; n++) yield { n, pad }
              } finally {
                ended.push('slow')
              }
            },
          }),
          QUEUED: route({
            ordered: true,
            output: stream(Item),
            async *handler(_input, call) {
              yield* oneAndWait(call, () => ended.push('queued'))
            },
          }),
          DEAF: route({
            output: stream(Item),
            async *handler() {
              yield { n: 1 }
              await never.promise
              ended.push('deaf')
            },
          }),
        },
        plugins: [watch(outcomes)],
      })
      const socket = await connect()
      const id = (pkgId: number) => reqId.replace(/^6/, String(pkgId))
      const cancel = (pkgId: number) => socket.send(JSON.stringify({ type: 'cancel', req_id: id(pkgId) }))
      const last = async (pkgId: number) => {
        for (;;) {
          const frame = await nextJson(socket)
          if (frame.meta !== null) continue
          expect([frame.req_id, frame.status_code, codeOf(frame)]).toEqual([id(pkgId), 1, 'cancelled'])
          return
        }
      }
      for (const pkgId of [1, 2, 3]) {
        socket.send(packet(pkgId, undefined, id(pkgId)))
        await delay(10)
        cancel(pkgId)
        await last(pkgId)
      }
      for (const pkgId of [4, 7]) {
        socket.send(packet(pkgId, undefined, id(pkgId)))
        expect((await nextJson(socket)).meta).toEqual({ more: true })
        cancel(pkgId)
        await last(pkgId)
      }
      socket.send(packet(5, undefined, id(5)))
      await nextJson(socket)
      socket.pause()
      await delay(200)
      cancel(5)
      socket.resume()
      await last(5)
      socket.send(packet(6, undefined, id(6)))
      socket.send(packet(6, undefined, id(8)))
      await nextJson(socket)
      // The one that waits never begins.
      cancel(8)
      await last(8)
      cancel(6)
      await last(6)
      // One that is over, or that never was, is harmless.
      cancel(6)
      cancel(9)
      // The frames are calls too, and succeed.
      const failed = outcomes.flatMap(({ error }) => error?.code ?? [])
      expect(failed).toEqual(Array.from({ length: 8 }, () => 'cancelled'))
      never.resolve()
      await until(() => ended.length === 7)
      expect(ended.toSorted()).toEqual(['deaf', 'first', 'guard', 'handler', 'middle', 'queued', 'slow'])
    })

    it('is not cancelled by a frame without its req_id, and no other call is', async () => {
      const go = deferred()
      const { connect } = await start({
        pkgIds: { WAIT: 1 },
        routes: { WAIT: route({ handler: () => go.promise.then(() => 'done') }) },
      })
      const socket = await connect()
      for (const wrong of [undefined, 7, 'x', null]) {
        socket.send(JSON.stringify({ type: 'cancel', req_id: wrong }))
        expect(await nextJson<unknown>(socket)).toEqual({
          type: 'error',
          id: null,
          code: 'validation_error',
          msg: 'Invalid input',
          details: [{ path: 'req_id', message: 'must be a UUID' }],
        })
      }
      socket.send(packet(1, undefined, reqId))
      socket.send(JSON.stringify({ type: 'cancel', req_id: reqId }))
      await delay(10)
      go.resolve()
      expect((await nextJson(socket)).data).toBe('done')
    })

    it('is cancelled by a loop of the test client that is left early', async () => {
      const ended = deferred()
      async function* endless() {
        try {
          for (let n = 1; ; n++) yield { n }
        } finally {
          ended.resolve()
        }
      }
      const { client } = await start({
        pkgIds: { ENDLESS: 1 },
        routes: { ENDLESS: route({ output: stream(Item), handler: endless }) },
      })
      const one = await client()
      for await (const { n } of one.stream('ENDLESS')) if (n === 3) break
      await ended.promise
      await expect(one.call('ENDLESS')).rejects.toThrow("ENDLESS streams its reply: read it with stream('ENDLESS')")
    })

    it('may finish during a drain, or is cut by it with a last package', async () => {
      const clock = createVirtualClock()
      const go = deferred()
      const { connect, app } = await start({
        clock,
        drainTimeoutMs: 5000,
        pkgIds: { FINISHES: 1, WAITS: 2 },
        routes: {
          FINISHES: route({
            output: stream(Item),
            handler: async function* () {
              yield { n: 1 }
              await go.promise
              yield { n: 2 }
            },
          }),
          WAITS: route({ output: stream(Item), handler: (_input, call) => oneAndWait(call, () => {}) }),
        },
      })
      const [first, second] = [await connect(), await connect()]
      first.send(packet(1))
      second.send(packet(2))
      await nextJson(first)
      await nextJson(second)
      const closed = app.close()
      go.resolve()
      expect((await nextJson(first)).data).toEqual({ n: 2 })
      expect((await nextJson(first)).meta).toBeNull()
      for (let i = 0; i < 10; i++) await clock.advance(1000)
      expect(codeOf(await nextJson(second))).toBe('unavailable')
      expect((await second.closed).code).toBe(1012)
      await closed
    })
  })
})

describe('a route that streams', () => {
  const start = async (made: object) => {
    const { createApp } = await import('../index.ts')
    return createApp({ pkgIds: { R: 1 }, routes: { R: made as never }, environment: 'test' }).ready()
  }

  it('has no interceptor, and no status without a body', async () => {
    const { interceptor } = await import('../index.ts')
    const wrap = interceptor({ name: 'wrap', run: (_call, next) => next() })
    await expect(start(route({ use: [wrap], output: stream(Item), handler: () => [] }))).rejects.toThrow(
      "Route R streams its reply, and its interceptor 'wrap' would end before the first item is read: remove it, and do its work in the handler",
    )
    const http = { route: 'GET /r', status: 204 } as const
    await expect(start(route({ http, output: stream(Item), handler: () => [] }))).rejects.toThrow(
      'a response with status 204 has no body: choose another http.status',
    )
  })
})
