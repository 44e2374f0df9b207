import type { BodyFailure, HttpExchange } from '../../../transport/transport.ts'
import type { RawRequest } from '../../raw-types.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, eventually, recorder, text } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'

const kib = 1024

/** Pieces of a chunked body; `taken`: how many were requested. */
function pieces(count: number, bytes: number): { source: AsyncIterable<Uint8Array>; taken: () => number } {
  let taken = 0
  async function* generate(): AsyncGenerator<Uint8Array> {
    while (taken < count) {
      taken += 1
      yield new Uint8Array(bytes).fill(taken)
    }
  }
  return { source: generate(), taken: () => taken }
}

/** A body whose end never comes. */
async function* endless(first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first
  await new Promise(() => {})
}

const post = { method: 'POST', path: '/' } as const

const describeBody = (body: Uint8Array | BodyFailure): string =>
  typeof body === 'string' ? body : `${body.byteLength}`

/** Reading what clients send. */
export function bodiesSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('bodies of requests', () => {
    const reply = (maxBytes: number) => (exchange: HttpExchange) =>
      exchange.readBody(maxBytes, (body) => exchange.respond(200, [], describeBody(body)))

    it('reads a declared body whole, as bytes of its own', async () => {
      const kept = deferred<Uint8Array | BodyFailure>()
      const { client } = await serve({
        request: (exchange) =>
          exchange.readBody(kib, (body) => {
            kept.resolve(body)
            exchange.respond(200, [], null)
          }),
      })
      await client.request({ ...post, body: 'grüße' })
      await new Promise((resolve) => setImmediate(resolve))
      const body = await kept.promise
      expect(typeof body === 'string' ? body : text(body)).toBe('grüße')
    })

    it('reads a chunked body whole', async () => {
      const { client } = await serve({ request: reply(1000 * kib) })
      const response = await client.request({ ...post, body: pieces(10, 30 * kib).source })
      expect(text(response.body)).toBe(`${300 * kib}`)
    })

    it('reads no body as an empty one', async () => {
      const { client } = await serve({ request: reply(kib) })
      expect(text((await client.request(get)).body)).toBe('0')
      expect(text((await client.request({ ...post, body: '' })).body)).toBe('0')
    })

    it('reads later than the request came, with what was buffered', async () => {
      const { client } = await serve({
        request: (exchange) => {
          exchange.onAborted(() => {})
          setTimeout(() => reply(1000 * kib)(exchange), 20)
        },
      })
      const response = await client.request({ ...post, body: new Uint8Array(300 * kib) })
      expect(text(response.body)).toBe(`${300 * kib}`)
    })

    const sizes: readonly [how: string, body: () => RawRequest['body'], expected: string][] = [
      ['declared', () => new Uint8Array(kib), `${kib}`],
      ['chunked', () => pieces(2, kib / 2).source, `${kib}`],
      ['declared', () => new Uint8Array(kib + 1), 'too_large'],
      ['chunked', () => pieces(3, kib / 2).source, 'too_large'],
    ]
    for (const [how, body, expected] of sizes) {
      it(`caps a ${how} body: ${expected}`, async () => {
        const { client } = await serve({ request: reply(kib) })
        expect(text((await client.request({ ...post, body: body() })).body)).toBe(expected)
      })
    }

    it('does not wait for the rest of a body that is too large', async () => {
      const { client } = await serve({ request: reply(kib) })
      const answer = await client.request({ ...post, body: endless(new Uint8Array(2 * kib)) })
      expect(text(answer.body)).toBe('too_large')
    })

    it('pauses a client whose body is not read', async () => {
      const arrived = deferred<HttpExchange>()
      const { client } = await serve({
        request: (exchange) => {
          exchange.onAborted(() => {})
          arrived.resolve(exchange)
        },
      })
      const { source, taken } = pieces(1000, 64 * kib)
      const answer = client.request({ ...post, body: source })
      const exchange = await arrived.promise
      await new Promise((resolve) => setTimeout(resolve, 100))
      // A real network holds some MiB of its own; all of it would be 64.
      expect(taken()).toBeLessThan(500)
      exchange.readBody(64 * kib * kib, (body) => exchange.respond(200, [], describeBody(body)))
      expect(text((await answer).body)).toBe(`${64 * 1000 * kib}`)
      expect(taken()).toBe(1000)
    })

    it('answers before the body was read, and closes the connection', async () => {
      const { client } = await serve({ request: (exchange) => exchange.respond(401, [], 'no') })
      const answer = await client.request({ ...post, body: endless(new Uint8Array(10)) })
      expect([answer.status, text(answer.body)]).toEqual([401, 'no'])
    })

    it('tells a reader and onAborted when the client leaves in the middle of a body', async () => {
      const outcome = deferred<Uint8Array | BodyFailure>()
      const gone = recorder()
      const reading = deferred<HttpExchange>()
      const { client, faults } = await serve({
        request: (exchange) => {
          exchange.onAborted(gone)
          exchange.readBody(kib, outcome.resolve)
          reading.resolve(exchange)
        },
      })
      const leaving = new AbortController()
      const answer = client.request({ ...post, body: endless(new Uint8Array(10)), signal: leaving.signal })
      const left = expect(answer).rejects.toMatchObject({ name: 'AbortError' })
      const exchange = await reading.promise
      leaving.abort()
      expect(await outcome.promise).toBe('aborted')
      await left
      expect(exchange.aborted).toBe(true)
      expect(gone.calls).toHaveLength(1)
      const late = recorder()
      exchange.onAborted(late)
      expect(late.calls).toHaveLength(1)
      exchange.respond(200, [], 'too late')
      expect(await exchange.stream(200, []).write('too late')).toBe(false)
      expect(faults).toEqual([])
    })

    it('reads as aborted when the client left before', async () => {
      const gone = deferred<HttpExchange>()
      const arrived = deferred<void>()
      const { client } = await serve({
        request: (exchange) => {
          exchange.onAborted(() => gone.resolve(exchange))
          arrived.resolve()
        },
      })
      const leaving = new AbortController()
      const answer = client.request({ ...post, body: endless(new Uint8Array(10)), signal: leaving.signal })
      const left = expect(answer).rejects.toThrow()
      await arrived.promise
      leaving.abort()
      const exchange = await gone.promise
      await left
      const done = recorder()
      exchange.readBody(kib, done)
      await eventually(() => expect(done.calls).toEqual([['aborted']]), 15_000)
    })

    it('reports a reader that throws, and answers 500', async () => {
      const { client, faults } = await serve({
        request: (exchange) =>
          exchange.readBody(kib, () => {
            throw new Error('in done')
          }),
      })
      expect((await client.request({ ...post, body: 'x' })).status).toBe(500)
      expect(faults).toMatchObject([{ message: 'in done' }])
    })
  })
}
