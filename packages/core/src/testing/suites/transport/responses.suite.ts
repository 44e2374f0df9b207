import { PreparedHead } from '../../../transport/prepared-head.ts'
import type { HttpExchange, ResponseStream } from '../../../transport/transport.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, recorder, text } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'

const kib = 1024

/** Answering. */
export function responsesSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('answers', () => {
    it('writes status, headers and body, and the length by itself', async () => {
      const { client } = await serve({
        request: (exchange) =>
          exchange.respond(
            201,
            [
              ['x-one', '1'],
              ['content-length', '999'],
              ['x-many', 'a'],
              ['x-many', 'b'],
            ],
            'grüße',
          ),
      })
      const { status, headers, body } = await client.request(get)
      expect(status).toBe(201)
      expect(headers).toMatchObject({ 'x-one': '1', 'x-many': 'a, b', 'content-length': '7' })
      expect(text(body)).toBe('grüße')
    })

    it('answers with bytes, with nothing, and later', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          exchange.onAborted(() => {})
          await new Promise((resolve) => setImmediate(resolve))
          exchange.respond(200, [], exchange.path === '/bytes' ? new Uint8Array([0, 255]) : null)
        },
      })
      expect((await client.request({ method: 'GET', path: '/bytes' })).body).toEqual(new Uint8Array([0, 255]))
      const empty = await client.request(get)
      expect(empty.headers['content-length']).toBe('0')
      expect(empty.body.byteLength).toBe(0)
    })

    it('answers HEAD with the length and no body', async () => {
      const { client } = await serve({ request: (exchange) => exchange.respond(200, [], 'seven c') })
      const { headers, body } = await client.request({ method: 'HEAD', path: '/' })
      expect(headers['content-length']).toBe('7')
      expect(body.byteLength).toBe(0)
    })

    it('answers HEAD with the length that it is told, and with none', async () => {
      const { client } = await serve({
        request: (exchange) => {
          const details = { statusText: '', length: exchange.path === '/none' ? null : 7 }
          if (exchange.path === '/stream') exchange.stream(200, [], details).end()
          else exchange.respond(200, [], null, details)
        },
      })
      const lengthOf = async (path: string): Promise<unknown> =>
        (await client.request({ method: 'HEAD', path })).headers['content-length']
      expect(await lengthOf('/')).toBe('7')
      expect(await lengthOf('/stream')).toBe('7')
      expect(await lengthOf('/none')).toBe(undefined)
      expect((await client.request(get)).headers['content-length']).toBe('0')
    })

    it('writes each character of a header as a byte, and refuses one that is none', async () => {
      const { client, faults } = await serve({
        request: (exchange) =>
          exchange.respond(200, [['x-a', exchange.path === '/no' ? 'a\u0100' : 'h\u00e9\u00ff']], 'x'),
      })
      expect((await client.request(get)).headers['x-a']).toBe('h\u00e9\u00ff')
      expect((await client.request({ method: 'GET', path: '/no' })).status).toBe(500)
      expect(faults).toMatchObject([
        { message: 'the header x-a has a character in its value that a header cannot carry' },
      ])
    })

    it('does nothing on a second answer', async () => {
      const { client, faults } = await serve({
        request: (exchange) => {
          exchange.respond(200, [], 'first')
          exchange.respond(404, [], 'second')
          exchange.stream(404, []).end()
        },
      })
      const { status, body } = await client.request(get)
      expect([status, text(body)]).toEqual([200, 'first'])
      expect(faults).toEqual([])
    })

    it('does not call onAborted for a client that disconnects after the answer was complete', async () => {
      const aborted = recorder()
      const { client } = await serve({
        request: (exchange) => {
          exchange.onAborted(aborted)
          exchange.respond(200, [], 'whole')
        },
      })
      await client.request(get)
      await client.request(get)
      expect(aborted.calls).toHaveLength(0)
    })

    it('answers with a prepared head, at once and later', async () => {
      const head = new PreparedHead([['x-one', '1']], 'x-id', [['content-type', 'text/plain']])
      const { client, faults } = await serve({
        request: async (exchange) => {
          if (exchange.path === '/later') await new Promise((resolve) => setImmediate(resolve))
          exchange.respondPrepared(201, head, exchange.header('x-id'), [['x-two', '2']], 'fine')
          exchange.respondPrepared(404, head, 'second', [], 'second')
        },
      })
      for (const id of ['a', 'bc', 'd', 'x'.repeat(128)]) {
        const path = id === 'bc' ? '/later' : '/'
        const { status, headers, body } = await client.request({ method: 'GET', path, headers: { 'x-id': id } })
        expect(status).toBe(201)
        expect(headers).toMatchObject({ 'x-one': '1', 'x-id': id, 'content-type': 'text/plain', 'x-two': '2' })
        expect([headers['content-length'], text(body)]).toEqual(['4', 'fine'])
      }
      expect(faults).toEqual([])
    })

    it('takes the value of a prepared head that would break the answer for a fault, and answers 500', async () => {
      const head = new PreparedHead([], 'x-id', [])
      const values = ['a\r\nset-cookie: b', '', 'x'.repeat(129), 'caf\u00e9', '\u010a']
      const { client, faults } = await serve({
        request: (exchange) => exchange.respondPrepared(200, head, values[Number(exchange.query)] ?? '', [], 'fine'),
      })
      for (const [i] of values.entries()) {
        const { status, headers } = await client.request({ method: 'GET', path: `/?${i}` })
        expect([status, headers['x-id'], headers['set-cookie']]).toEqual([500, undefined, undefined])
      }
      expect(faults).toHaveLength(values.length)
    })

    it('takes a header that would break the answer for a fault, and answers 500', async () => {
      const { client, faults } = await serve({
        request: (exchange) => exchange.respond(200, [['x-one', 'a\r\nset-cookie: b']], 'fine'),
        upgrade: (request) => request.reject(403, [['x one', '']], ''),
      })
      expect((await client.request(get)).status).toBe(500)
      expect((await client.connect().catch((error) => error)).status).toBe(500)
      expect(faults).toMatchObject([{ name: 'TypeError' }, { name: 'TypeError' }])
    })

    it('reports a handler that throws, and answers 500', async () => {
      const { client, faults } = await serve({
        request: () => {
          throw new Error('in request')
        },
      })
      expect((await client.request(get)).status).toBe(500)
      expect(faults).toMatchObject([{ message: 'in request' }])
    })

    it('reports a handler that throws after it has answered, and keeps the answer', async () => {
      const { client, faults } = await serve({
        request: (exchange) => {
          exchange.respond(200, [], 'fine')
          throw new Error('afterwards')
        },
      })
      expect(text((await client.request(get)).body)).toBe('fine')
      expect(faults).toMatchObject([{ message: 'afterwards' }])
    })

    it('reports an onAborted that throws, and still runs the next', async () => {
      const next = deferred<void>()
      const arrived = deferred<void>()
      const { client, faults } = await serve({
        request: (exchange) => {
          exchange.onAborted(() => {
            throw new Error('in onAborted')
          })
          exchange.onAborted(() => next.resolve())
          arrived.resolve()
        },
      })
      const leaving = new AbortController()
      const left = expect(client.request({ ...get, signal: leaving.signal })).rejects.toThrow()
      await arrived.promise
      leaving.abort()
      await next.promise
      await left
      expect(faults).toMatchObject([{ message: 'in onAborted' }])
    })
  })

  describe('answers in pieces', () => {
    it('streams text and bytes, and leaves out empty pieces', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [['content-type', 'text/plain']])
          expect(await stream.write('one ')).toBe(true)
          await stream.write('')
          await stream.write(new TextEncoder().encode('two'))
          stream.end()
          stream.end()
          expect(await stream.write('late')).toBe(false)
        },
      })
      const { status, headers, body } = await client.request(get)
      expect([status, headers['content-type'], text(body)]).toEqual([200, 'text/plain', 'one two'])
    })

    it('holds the writer back while the client does not read', async () => {
      const total = 400
      let written = 0
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [])
          while (written < total && (await stream.write(new Uint8Array(64 * kib)))) written += 1
          stream.end()
        },
      })
      const { body } = await client.stream(get)
      await new Promise((resolve) => setTimeout(resolve, 100))
      expect(written).toBeLessThan(total)
      let bytes = 0
      for await (const chunk of body) bytes += chunk.byteLength
      expect(written).toBe(total)
      expect(bytes).toBe(total * 64 * kib)
    })

    it('tells the writer that the client has disconnected', async () => {
      const result = deferred<boolean>()
      const aborted = recorder()
      const { client } = await serve({
        request: async (exchange) => {
          exchange.onAborted(aborted)
          const stream = exchange.stream(200, [])
          while (await stream.write(new Uint8Array(64 * kib)));
          result.resolve(exchange.aborted)
        },
      })
      const { body } = await client.stream(get)
      for await (const _chunk of body) break
      expect(await result.promise).toBe(true)
      expect(aborted.calls).toHaveLength(1)
    })

    it('answers HEAD with the headers alone', async () => {
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [['x-one', '1']])
          await stream.write('never seen')
          stream.end()
        },
      })
      const { headers, body } = await client.request({ method: 'HEAD', path: '/' })
      expect(headers['x-one']).toBe('1')
      expect(body.byteLength).toBe(0)
    })

    it('cuts, so that the client sees that the body is not whole', async () => {
      const aborted = recorder()
      const { client } = await serve({
        request: async (exchange) => {
          const stream = exchange.stream(200, [])
          await stream.write('half')
          exchange.onAborted(aborted)
          stream.abort()
          stream.abort()
          stream.end()
          expect(await stream.write('more')).toBe(false)
        },
      })
      await expect(client.request(get)).rejects.toMatchObject({ code: 'ECONNRESET' })
      expect(aborted.calls).toHaveLength(0)
    })

    it('cuts the stream of a handler that throws', async () => {
      const opened = deferred<[HttpExchange, ResponseStream]>()
      const { client, faults } = await serve({
        request: (exchange) => {
          opened.resolve([exchange, exchange.stream(200, [])])
          throw new Error('in the middle')
        },
      })
      await expect(client.request(get)).rejects.toMatchObject({ code: 'ECONNRESET' })
      const [, stream] = await opened.promise
      expect(await stream.write('more')).toBe(false)
      expect(faults).toMatchObject([{ message: 'in the middle' }])
    })
  })
}
