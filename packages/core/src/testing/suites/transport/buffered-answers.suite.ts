import type { ResponseStream } from '../../../transport/transport.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'

const kib = 1024

/** What waits of an answer in chunks. */
export function bufferedAnswersSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('answers in chunks', () => {
    it('knows what a client that does not read has not taken, and that one has left', async () => {
      const opened = deferred<ResponseStream>()
      const seen = deferred<boolean>()
      const { client } = await serve({
        request: (exchange) => {
          const stream = exchange.stream(200, [])
          exchange.onAborted(() => seen.resolve(stream.open))
          opened.resolve(stream)
        },
      })
      const leaving = new AbortController()
      const opening = client.stream({ ...get, signal: leaving.signal })
      const stream = await opened.promise
      expect(stream.bufferedBytes).toBe(0)
      expect(await stream.write('first')).toBe(true)
      const { body } = await opening
      const writes: Promise<boolean>[] = []
      while (stream.bufferedBytes < 256 * kib) {
        writes.push(stream.write(new Uint8Array(16 * kib)))
        if (writes.length % 64 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      for await (const _chunk of body) if (stream.bufferedBytes === 0) break
      expect((await Promise.all(writes)).every(Boolean)).toBe(true)
      leaving.abort(new Error('left'))
      expect(await seen.promise).toBe(false)
      expect(await stream.write('late')).toBe(false)
      expect(stream.bufferedBytes).toBe(0)
    })
  })
}
