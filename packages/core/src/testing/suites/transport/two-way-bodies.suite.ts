import type { TestRunner } from '../../test-runner.ts'
import { deferred } from '../helpers.ts'
import type { TransportFixture } from './fixture.ts'
import { endless, next, type Piece, pieces } from './pieces.ts'

const kib = 1024
const post = { method: 'POST', path: '/' } as const

/** Answers that begin before the body of their request has ended. */
export function twoWayBodiesSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('bodies of requests, read during the answer', () => {
    it('reads while it answers', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(kib * kib)
          const answer = exchange.stream(200, [])
          for (let piece = await next(body); piece instanceof Uint8Array; piece = await next(body)) {
            await answer.write(piece)
          }
          answer.end()
        },
      })
      const answer = await client.request({ ...post, body: pieces(10, kib).source })
      expect(answer.body.byteLength).toBe(10 * kib)
    })

    it('goes on when a client that reads nothing of a long answer, until it can send no more, reads it', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(64 * kib * kib)
          const answer = exchange.stream(200, [])
          for (let piece = await next(body); piece instanceof Uint8Array; piece = await next(body)) {
            if (!(await answer.write(piece))) return
          }
          answer.end()
        },
      })
      const { source, taken } = pieces(700, 64 * kib)
      const answer = await client.stream({ ...post, body: source })
      let before = -1
      while (before !== taken()) {
        before = taken()
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      // Both sides are held up: the network takes no more.
      expect(before).toBeLessThan(700)
      let bytes = 0
      for await (const piece of answer.body) bytes += piece.byteLength
      expect(bytes).toBe(700 * 64 * kib)
    })

    it('ends a read that waits when the answer is cut', async () => {
      const ended = deferred<Piece>()
      const { client } = await serve({
        request: async (exchange) => {
          const body = exchange.openBody(kib)
          const answer = exchange.stream(200, [])
          await answer.write('begin')
          await next(body)
          body.read(ended.resolve)
          answer.abort()
        },
      })
      await expect(client.request({ ...post, body: endless(new Uint8Array(10)) })).rejects.toThrow()
      expect(await ended.promise).toBe('aborted')
    })
  })
}
