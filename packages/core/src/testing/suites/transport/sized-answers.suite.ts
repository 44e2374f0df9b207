import type { TestRunner } from '../../test-runner.ts'
import { deferred } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'

const details = (size: number) => ({ statusText: '', length: size, size })
const kib = 1024

/** Streams of known length. */
export function sizedAnswersSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('streams of known length', () => {
    it('have a content-length, and the connection goes on', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(206, [['x-own', 'yes']], details(7))
          expect(await stream.write('')).toBe(true)
          expect(await stream.write('one')).toBe(true)
          expect(await stream.write(new TextEncoder().encode('four'))).toBe(true)
          stream.end()
          expect(stream.open).toBe(false)
        },
      })
      for (let i = 0; i < 2; i++) {
        const { status, headers, body } = await client.request(get)
        expect([status, headers['content-length'], headers['transfer-encoding'], headers['x-own']]).toEqual([
          206,
          '7',
          undefined,
          'yes',
        ])
        expect(new TextDecoder().decode(body)).toBe('onefour')
      }
    })

    it('of HEAD have it too, and take nothing', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [], details(7))
          expect([stream.open, await stream.write('one')]).toEqual([false, false])
        },
      })
      const { headers, body } = await client.request({ ...get, method: 'HEAD' })
      expect([headers['content-length'], body.byteLength]).toEqual(['7', 0])
    })

    it('wait for a client that reads slowly, whose bytes may then be changed', async () => {
      const count = 64
      const size = count * 64 * kib
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [], details(size))
          const bytes = new Uint8Array(64 * kib)
          for (let i = 0; i < count; i++) {
            bytes.fill(i)
            if (!(await stream.write(bytes))) return
          }
          stream.end()
        },
      })
      const { headers, body } = await client.stream(get)
      expect(headers['content-length']).toBe(String(size))
      let at = 0
      let wrong = 0
      for await (const chunk of body) {
        for (const byte of chunk) if (byte !== Math.floor(at++ / (64 * kib))) wrong++
        await new Promise((resolve) => setImmediate(resolve))
      }
      expect([at, wrong]).toEqual([size, 0])
    })

    it('that end early are cut, and so are those with too many bytes, which is a fault', async () => {
      const { client, faults } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [], details(7))
          await stream.write('one')
          if (exchange.path === '/more') expect(await stream.write('12345')).toBe(false)
          else stream.end()
          expect([stream.open, await stream.write('1')]).toEqual([false, false])
        },
      })
      for (const path of ['/less', '/more']) await expect(client.request({ ...get, path })).rejects.toThrow()
      expect(faults.map(String)).toEqual(['RangeError: An answer of 7 bytes got more of them'])
    })

    it('tell a client that leaves', async () => {
      const left = deferred<boolean>()
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [], details(1024 * 1024 * kib))
          while (await stream.write(new Uint8Array(64 * kib)));
          left.resolve(stream.open)
        },
      })
      const { body } = await client.stream(get)
      for await (const _chunk of body) break
      expect(await left.promise).toBe(false)
    })
  })
}
