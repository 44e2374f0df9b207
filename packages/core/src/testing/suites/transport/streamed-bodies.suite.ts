import type { BodyFailure, BodyReader, HttpExchange } from '../../../transport/transport.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, recorder, text } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'
import { endless, next, type Piece, pieces } from './pieces.ts'

const kib = 1024
const post = { method: 'POST', path: '/' } as const

/** Reads to the end: the bytes, and what came instead of a piece. */
async function readAll(body: BodyReader): Promise<{ bytes: number; sum: number; end: null | BodyFailure }> {
  let bytes = 0
  let sum = 0
  for (;;) {
    const piece = await next(body)
    if (piece === null || typeof piece === 'string') return { bytes, sum, end: piece }
    bytes += piece.byteLength
    for (const byte of piece) sum += byte
  }
}

/** Reading what clients send piece by piece. */
export function streamedBodiesSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('bodies of requests, read in pieces', () => {
    const report =
      (maxBytes: number) =>
      async (exchange: HttpExchange): Promise<void> => {
        const body = exchange.openBody(maxBytes)
        const read = await readAll(body)
        exchange.respond(200, [], JSON.stringify({ length: body.length, ...read, again: await next(body) }))
      }

    it('gives every byte of a declared body, then the end, as often as it is asked', async () => {
      const { client } = await serve({ request: report(1000 * kib) })
      const answer = await client.request({ ...post, body: new Uint8Array(300 * kib).fill(2) })
      const expected = { length: 300 * kib, bytes: 300 * kib, sum: 600 * kib, end: null, again: null }
      expect(JSON.parse(text(answer.body))).toEqual(expected)
    })

    it('gives every byte of a chunked body, whose length is not known', async () => {
      const { client } = await serve({ request: report(1000 * kib) })
      const answer = await client.request({ ...post, body: pieces(10, 30 * kib).source })
      const expected = { length: null, bytes: 300 * kib, sum: 300 * kib, end: null, again: null }
      expect(JSON.parse(text(answer.body))).toEqual(expected)
    })

    it('gives no piece where there is no body', async () => {
      const { client } = await serve({ request: report(kib) })
      const expected = { length: 0, bytes: 0, sum: 0, end: null, again: null }
      expect(JSON.parse(text((await client.request(get)).body))).toEqual(expected)
      expect(JSON.parse(text((await client.request({ ...post, body: '' })).body))).toEqual(expected)
    })

    it('gives pieces that stay as they are', async () => {
      const kept: Uint8Array[] = []
      const { client } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(kib)
          for (let piece = await next(body); piece instanceof Uint8Array; piece = await next(body)) kept.push(piece)
          exchange.respond(200, [], null)
        },
      })
      await client.request({ ...post, body: 'first' })
      await client.request({ ...post, body: 'second' })
      expect(kept.map(text)).toEqual(['first', 'second'])
    })

    it('begins later than the request came, with what was held', async () => {
      const { client } = await serve({
        request: (exchange) => {
          exchange.onAborted(() => {})
          setTimeout(() => void report(1000 * kib)(exchange), 20)
        },
      })
      const answer = await client.request({ ...post, body: new Uint8Array(300 * kib) })
      expect(JSON.parse(text(answer.body))).toMatchObject({ bytes: 300 * kib, end: null })
    })

    it('pauses a client while no piece is read, and continues when one is', async () => {
      const opened = deferred<BodyReader>()
      const result = deferred<string>()
      const { client } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(64 * kib * kib)
          const first = await next(body)
          opened.resolve(body)
          exchange.respond(200, [], await result.promise)
          expect(first instanceof Uint8Array).toBe(true)
        },
      })
      const { source, taken } = pieces(1000, 64 * kib)
      const answer = client.request({ ...post, body: source })
      const body = await opened.promise
      await new Promise((resolve) => setTimeout(resolve, 100))
      // A real network holds some MiB of its own; all of it would be 64.
      expect(taken()).toBeLessThan(500)
      const { end } = await readAll(body)
      result.resolve(String(end))
      expect(text((await answer).body)).toBe('null')
      expect(taken()).toBe(1000)
    })

    const sizes: readonly [how: string, count: number, bytes: number, end: string | null][] = [
      ['declared', kib, kib, null],
      ['chunked', kib, kib, null],
      ['declared', kib + 1, 0, 'too_large'],
      ['chunked', 2 * kib, 0, 'too_large'],
    ]
    for (const [how, count, bytes, end] of sizes) {
      it(`caps a ${how} body of ${count} bytes at 1024: ${end}`, async () => {
        const { client } = await serve({ request: report(kib) })
        const body = how === 'declared' ? new Uint8Array(count) : pieces(1, count).source
        const answer = await client.request({ ...post, body })
        expect(JSON.parse(text(answer.body))).toMatchObject({ bytes, end, again: end })
      })
    }

    it('does not wait for the rest of a body that is too large', async () => {
      const { client } = await serve({ request: report(kib) })
      const answer = await client.request({ ...post, body: endless(new Uint8Array(2 * kib)) })
      expect(JSON.parse(text(answer.body))).toMatchObject({ end: 'too_large' })
    })

    it('ends a read that waits when the client leaves, and every later one', async () => {
      const reading = deferred<void>()
      const ends = deferred<Piece[]>()
      const gone = recorder()
      const { client, faults } = await serve({
        request: async (exchange) => {
          exchange.onAborted(gone)
          const body = exchange.openBody(kib)
          await next(body)
          const waiting = next(body)
          reading.resolve()
          const first = await waiting
          ends.resolve([first, await next(body)])
          // Neither does anything.
          body.renew()
          body.cancel()
        },
      })
      const leaving = new AbortController()
      const answer = client.request({ ...post, body: endless(new Uint8Array(10)), signal: leaving.signal })
      const left = expect(answer).rejects.toMatchObject({ name: 'AbortError' })
      await reading.promise
      leaving.abort()
      expect(await ends.promise).toEqual(['aborted', 'aborted'])
      await left
      expect(gone.calls).toHaveLength(1)
      expect(faults).toEqual([])
    })

    it('ends a read that waits with the answer', async () => {
      const ended = deferred<Piece>()
      const { client, faults } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(kib)
          await next(body)
          body.read(ended.resolve)
          exchange.respond(409, [], 'enough')
        },
      })
      const answer = await client.request({ ...post, body: endless(new Uint8Array(10)) })
      expect([answer.status, text(answer.body)]).toEqual([409, 'enough'])
      expect(await ended.promise).toBe('aborted')
      expect(faults).toEqual([])
    })

    it('answers after a part of the body was read and the rest was cancelled', async () => {
      const { client, faults } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(64 * kib * kib)
          await next(body)
          body.cancel()
          exchange.respond(200, [], String(await next(body)))
          body.cancel()
        },
      })
      for (const body of [new Uint8Array(10), new Uint8Array(100 * kib), pieces(2, 40 * kib).source]) {
        expect(text((await client.request({ ...post, body })).body)).toMatch(/^(?:null|aborted)$/)
      }
      const large = await client.request({ ...post, body: endless(new Uint8Array(kib)) })
      expect(text(large.body)).toBe('aborted')
      expect(faults).toEqual([])
    })

    it('gives a slow client more time when asked to, at any moment', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(kib * kib)
          body.renew()
          let bytes = 0
          for (let piece = await next(body); piece instanceof Uint8Array; piece = await next(body)) {
            bytes += piece.byteLength
            body.renew()
          }
          body.renew()
          exchange.respond(200, [], String(bytes))
          body.renew()
        },
      })
      for (const body of [pieces(10, 50 * kib).source, new Uint8Array(500 * kib)]) {
        expect(text((await client.request({ ...post, body })).body)).toBe(String(500 * kib))
      }
    })

    it('is opened once, and not after readBody', async () => {
      const { client, faults } = await serve({
        request: (exchange) => {
          exchange.openBody(kib)
          if (exchange.path === '/twice') exchange.openBody(kib)
          else exchange.readBody(kib, () => {})
        },
      })
      for (const path of ['/twice', '/both']) {
        expect((await client.request({ ...post, path, body: 'x' })).status).toBe(500)
      }
      expect(faults).toHaveLength(2)
    })

    it('reports a reader that throws, and answers 500', async () => {
      const { client, faults } = await serve({
        request: (exchange) => {
          const body = exchange.openBody(kib)
          body.read(() => {
            throw new Error('in done')
          })
        },
      })
      expect((await client.request({ ...post, body: 'x' })).status).toBe(500)
      expect(faults).toMatchObject([{ message: 'in done' }])
    })
  })
}
