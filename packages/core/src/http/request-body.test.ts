import { pipeline } from 'node:stream/promises'
import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import type { CallOutcome } from '../call/call-outcome.ts'
import { type AnyEndpoint, type Call, guard, PermissionDeniedError, type RequestBody, reply, route } from '../index.ts'
import { deferred, plugin } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const kib = 1024

/** Pieces of a chunked body, and then `rest`. */
async function* chunks(pieces: readonly string[], rest?: Promise<unknown>): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece)
  await rest
}

const never = new Promise<never>(() => {})

async function textOf(body: RequestBody): Promise<string> {
  const parts: Uint8Array[] = []
  for await (const part of body) parts.push(part)
  return Buffer.concat(parts).toString()
}

const upload = route({
  http: { route: 'POST /files/:name', body: 'stream', maxBodyBytes: 1000 * kib },
  input: v.object({ name: v.string(), draft: v.optional(v.boolean()) }),
  handler: async (input, call) => {
    let bytes = 0
    for await (const part of call.body) bytes += part.byteLength
    return { ...input, length: call.body.length, type: call.body.contentType, bytes }
  },
})

onTransports({ describe, afterEach }, ({ start }) => {
  /** An app, and how its calls have ended. */
  async function boot(
    endpoints: readonly AnyEndpoint[],
    options: { clock?: ReturnType<typeof createVirtualClock> } = {},
  ) {
    const outcomes: (Pick<CallOutcome, 'aborted' | 'httpStatus'> & { code: string | undefined })[] = []
    const observer = plugin((host) =>
      host.onReply((_call, { aborted, httpStatus, error }) => {
        outcomes.push({ aborted, httpStatus, code: error?.code })
      }),
    )
    const app = await start({ pkgIds: {}, routes: {}, endpoints: [...endpoints], plugins: [observer], ...options })
    return { ...app, outcomes }
  }

  describe('a streamed body', () => {
    test('is read by the handler; path and query are the input', async () => {
      const { request } = await boot([upload])
      const answer = await request('POST /files/a.txt?draft=true', {
        body: 'x'.repeat(300 * kib),
        headers: { 'content-type': 'text/plain' },
      })
      expect(answer.json()).toEqual({
        name: 'a.txt',
        draft: true,
        length: 300 * kib,
        type: 'text/plain',
        bytes: 300 * kib,
      })
    })

    test('has no length when it is chunked, and is empty where there is none', async () => {
      const { raw, request } = await boot([upload])
      const answer = await raw.request({ method: 'POST', path: '/files/b', body: chunks(['one', 'two']) })
      expect(JSON.parse(Buffer.from(answer.body).toString())).toEqual({ name: 'b', length: null, type: '', bytes: 6 })
      expect((await request('POST /files/c')).json()).toMatchObject({ length: 0, bytes: 0 })
    })

    test('is an iterable that Node takes', async () => {
      const piped = route({
        http: { route: 'PUT /piped', body: 'stream' },
        handler: async (_input, call) => {
          let text = ''
          await pipeline(call.body, async (source: AsyncIterable<Uint8Array>) => {
            for await (const part of source) text += Buffer.from(part).toString()
          })
          return text
        },
      })
      const { request } = await boot([piped])
      expect((await request('PUT /piped', { body: 'as it comes' })).json()).toBe('as it comes')
    })

    test('is not read before the guards and the input have admitted the call', async () => {
      const refused = route({
        http: { route: 'POST /refused', body: 'stream' },
        use: [
          guard({
            name: 'never',
            run: () => {
              throw new PermissionDeniedError()
            },
          }),
        ],
        handler: (_input, call) => textOf(call.body),
      })
      const { raw, request } = await boot([refused, upload])
      const answer = await raw.request({ method: 'POST', path: '/refused', body: chunks(['begin'], never) })
      expect(answer.status).toBe(403)
      expect((await request('POST /files/a?draft=maybe', { body: 'x' })).status).toBe(422)
    })

    test('with a declared length over the cap is 413 before the handler runs', async () => {
      let ran = false
      const capped = route({
        http: { route: 'POST /capped', body: 'stream', maxBodyBytes: 10 },
        handler: (_input, call) => {
          ran = true
          return textOf(call.body)
        },
      })
      const { request, outcomes } = await boot([capped])
      const answer = await request('POST /capped', { body: 'x'.repeat(11) })
      expect([answer.status, answer.json()]).toMatchObject([413, { error: { code: 'payload_too_large' } }])
      expect(ran).toBe(false)
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 413, code: 'payload_too_large' }])
      expect((await request('POST /capped', { body: 'x'.repeat(10) })).json()).toBe('xxxxxxxxxx')
    })

    test('that becomes longer than the cap is 413 from the loop', async () => {
      const capped = route({
        http: { route: 'POST /capped', body: 'stream', maxBodyBytes: 10 },
        handler: (_input, call) => textOf(call.body),
      })
      const { raw, outcomes } = await boot([capped])
      const answer = await raw.request({
        method: 'POST',
        path: '/capped',
        body: chunks(['12345', '67890', 'x'], never),
      })
      expect(answer.status).toBe(413)
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 413, code: 'payload_too_large' }])
    })

    test('is read once', async () => {
      const twice = route({
        http: { route: 'POST /twice', body: 'stream' },
        handler: async (_input, call) => {
          await textOf(call.body)
          return textOf(call.body)
        },
      })
      const { request, logs } = await boot([twice])
      expect((await request('POST /twice', { body: 'x' })).status).toBe(500)
      const message = expect.stringContaining('call.body was read before')
      const fields = expect.objectContaining({ err: expect.objectContaining({ message }) })
      expect(logs).toContainEqual(expect.objectContaining({ level: 'error', fields }))
    })

    test.each([
      ['not read', async () => {}],
      [
        'left early',
        async (body: RequestBody) => {
          for await (const _part of body) break
        },
      ],
    ])('that is %s does not hold up the answer', async (_how, read) => {
      const early = route({
        http: { route: 'POST /early', body: 'stream', maxBodyBytes: 1000 * kib },
        handler: async (_input, call) => {
          await read(call.body)
          return 'enough'
        },
      })
      const { raw, request, outcomes } = await boot([early])
      expect((await request('POST /early', { body: 'short' })).json()).toBe('enough')
      expect((await request('POST /early', { body: 'x'.repeat(500 * kib) })).json()).toBe('enough')
      const answer = await raw.request({ method: 'POST', path: '/early', body: chunks(['begin'], never) })
      expect(Buffer.from(answer.body).toString()).toBe('"enough"')
      expect(outcomes).toHaveLength(3)
    })

    test('of a handler that throws at once does not hold up the error', async () => {
      const broken = route({
        http: { route: 'POST /broken', body: 'stream' },
        handler: (): string => {
          throw new PermissionDeniedError()
        },
      })
      const { raw, outcomes } = await boot([broken])
      const answer = await raw.request({ method: 'POST', path: '/broken', body: chunks(['begin'], never) })
      expect(answer.status).toBe(403)
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 403, code: 'permission_denied' }])
    })

    test('ends with the reason of the signal when the client leaves', async () => {
      const seen = deferred<unknown[]>()
      const reading = deferred<void>()
      const left = route({
        http: { route: 'POST /left', body: 'stream' },
        handler: async (_input, call) => {
          const parts = call.body[Symbol.asyncIterator]()
          await parts.next()
          reading.resolve()
          const error = await parts.next().catch((thrown: unknown) => thrown)
          seen.resolve([error, call.signal.aborted && call.signal.reason])
          throw error
        },
      })
      const { raw, outcomes, logs } = await boot([left])
      const leaving = new AbortController()
      const body = chunks(['begin'], never)
      const answer = raw.request({ method: 'POST', path: '/left', body, signal: leaving.signal })
      const rejected = expect(answer).rejects.toThrow()
      await reading.promise
      leaving.abort()
      await rejected
      const [error, reason] = await seen.promise
      expect(error).toBe(reason)
      expect(error).toMatchObject({ message: 'The client has disconnected' })
      expect(outcomes).toEqual([{ aborted: true, httpStatus: 499, code: undefined }])
      expect(logs.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
    })

    test('of a declared length whose client stalls near its end is answered all the same', async () => {
      const clock = createVirtualClock()
      const reading = deferred<void>()
      const slow = route({
        http: { route: 'POST /slow', body: 'stream', bodyTimeoutMs: 1000 },
        handler: async (_input, call) => {
          for await (const _part of call.body) reading.resolve()
        },
      })
      const { raw, outcomes } = await boot([slow], { clock })
      const headers = { 'content-length': '6' }
      const answer = raw.request({ method: 'POST', path: '/slow', headers, body: chunks(['begin'], never) })
      await reading.promise
      await clock.advance(1000)
      expect((await answer).status).toBe(408)
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 408, code: 'request_timeout' }])
    })

    test('whose client stalls ends the call once, with request_timeout', async () => {
      const clock = createVirtualClock()
      const reading = deferred<Call>()
      const errors: unknown[] = []
      const slow = route({
        http: { route: 'POST /slow', body: 'stream', bodyTimeoutMs: 10_000 },
        deadlineMs: 5000,
        handler: async (_input, call) => {
          const parts = call.body[Symbol.asyncIterator]()
          await parts.next()
          reading.resolve(call)
          await parts.next().catch((error: unknown) => errors.push(error))
          await parts.next().catch((error: unknown) => errors.push(error))
          throw errors[0]
        },
      })
      const { raw, outcomes, logs } = await boot([slow], { clock })
      const answer = raw.request({ method: 'POST', path: '/slow', body: chunks(['begin'], never) })
      const call = await reading.promise
      await clock.advance(9999)
      expect(outcomes).toEqual([])
      await clock.advance(1)
      const { status, body } = await answer
      const message = 'No byte of the body arrived for 10000 ms'
      const error = { code: 'request_timeout', message }
      expect([status, JSON.parse(Buffer.from(body).toString())]).toMatchObject([
        408,
        { error: { code: 'request_timeout', msg: message, details: { timeout_ms: 10_000 } } },
      ])
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 408, code: 'request_timeout' }])
      expect(call.signal.reason).toMatchObject({ code: 'request_timeout' })
      await expect.poll(() => errors).toMatchObject([error, error])
      expect(logs.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([])
      await clock.advance(60_000)
      expect(clock.pendingTimers).toBe(0)
    })

    test('may come slowly: the deadline begins anew with each piece, and bounds the handler after the last', async () => {
      const clock = createVirtualClock()
      const gates = [deferred<void>(), deferred<void>()] as const
      const read: string[] = []
      const slow = route({
        http: { route: 'POST /slow', body: 'stream', bodyTimeoutMs: 0 },
        deadlineMs: 5000,
        handler: async (_input, call) => {
          for await (const part of call.body) read.push(Buffer.from(part).toString())
          read.push('end')
          return never
        },
      })
      const { raw, outcomes } = await boot([slow], { clock })
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('1')
        await gates[0].promise
        yield Buffer.from('2')
        await gates[1].promise
      }
      const answer = raw.request({ method: 'POST', path: '/slow', body: body() })
      await expect.poll(() => read).toEqual(['1'])
      await clock.advance(3_600_000)
      gates[0].resolve()
      await expect.poll(() => read).toEqual(['1', '2'])
      await clock.advance(3_600_000)
      gates[1].resolve()
      await expect.poll(() => read).toEqual(['1', '2', 'end'])
      await clock.advance(4999)
      expect(outcomes).toEqual([])
      await clock.advance(1)
      expect((await answer).status).toBe(504)
      expect(outcomes).toEqual([{ aborted: false, httpStatus: 504, code: 'deadline_exceeded' }])
    })

    test('the deadline ends a handler that does not go on reading, and its loop', async () => {
      const clock = createVirtualClock()
      const reading = deferred<void>()
      const proceed = deferred<void>()
      const ended = deferred<unknown>()
      const slow = route({
        http: { route: 'POST /slow', body: 'stream' },
        deadlineMs: 5000,
        handler: async (_input, call) => {
          try {
            for await (const _part of call.body) {
              reading.resolve()
              await proceed.promise
            }
          } catch (error) {
            ended.resolve(error)
            throw error
          }
        },
      })
      const { raw, outcomes } = await boot([slow], { clock })
      const answer = raw.request({ method: 'POST', path: '/slow', body: chunks(['begin'], never) })
      await reading.promise
      await clock.advance(5000)
      expect((await answer).status).toBe(504)
      proceed.resolve()
      expect(await ended.promise).toMatchObject({ code: 'deadline_exceeded' })
      expect(outcomes).toHaveLength(1)
    })

    test('is still read by a streamed answer that is made of it', async () => {
      const shout = route({
        http: { route: 'POST /shout', body: 'stream', maxBodyBytes: 1000 * kib },
        handler: (_input, call) =>
          reply.stream(
            (async function* () {
              for await (const part of call.body) yield Buffer.from(part).toString().toUpperCase()
            })(),
          ),
      })
      const { raw } = await boot([shout])
      const answer = await raw.request({
        method: 'POST',
        path: '/shout',
        body: chunks(['one ', 'x'.repeat(200 * kib)]),
      })
      expect(Buffer.from(answer.body).toString()).toBe(`ONE ${'X'.repeat(200 * kib)}`)
    })

    test('does not let the app close before its call has ended', async () => {
      const reading = deferred<void>()
      const rest = deferred<void>()
      const slow = route({
        http: { route: 'POST /slow', body: 'stream' },
        handler: async (_input, call) => {
          let bytes = 0
          for await (const part of call.body) {
            bytes += part.byteLength
            reading.resolve()
          }
          return bytes
        },
      })
      const { app, raw } = await boot([slow])
      const answer = raw.request({ method: 'POST', path: '/slow', body: chunks(['begin'], rest.promise) })
      await reading.promise
      const closed = app.close()
      rest.resolve()
      const { status, body } = await answer
      expect([status, Buffer.from(body).toString()]).toEqual([200, '5'])
      await closed
    })

    test('is closed by a reader that was not waited for', async () => {
      const dropped = route({
        http: { route: 'POST /dropped', body: 'stream', maxBodyBytes: 4 },
        handler: async (_input, call) => {
          const parts = call.body[Symbol.asyncIterator]()
          const [first, second, third] = [parts.next(), parts.next(), parts.next()]
          await expect(first).resolves.toMatchObject({ done: false })
          await expect(second).rejects.toMatchObject({ code: 'payload_too_large' })
          await expect(third).rejects.toMatchObject({ code: 'payload_too_large' })
          await expect(parts.return?.()).resolves.toEqual({ done: true, value: undefined })
          return 'closed'
        },
      })
      const { raw } = await boot([dropped])
      const gate = deferred<void>()
      async function* body(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('abcd')
        setTimeout(gate.resolve, 10)
        await gate.promise
        yield Buffer.from('e')
        await never
      }
      const answer = await raw.request({ method: 'POST', path: '/dropped', body: body() })
      expect(Buffer.from(answer.body).toString()).toBe('"closed"')
    })
  })
})
