import type { TestRunner } from '../../test-runner.ts'
import { deferred, recorder } from '../helpers.ts'
import { get, type TransportFixture } from './fixture.ts'

const kib = 1024
/** More than the buffers of a loopback connection hold. */
const manyBytes = 24 * kib * kib

/** Bytes of which none is where another could be. */
function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 12)) & 0xff
  return bytes
}

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Lets the network do what it would do by itself. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
}

/** Waiting until everything has left. */
export function flushingSuite({ describe, it, expect }: TestRunner, { serve, open }: TransportFixture): void {
  describe('flushed', () => {
    it('resolves at once when nothing waits', async () => {
      const { transport, client } = await serve()
      await transport.flushed()
      await client.request(get)
      await transport.flushed()
      await transport.close()
      await transport.flushed()
    })

    const bodies: [what: string, body: (own: Uint8Array) => string | Uint8Array][] = [
      ['bytes, which are copied', (own) => own],
      ['text', () => 'grüße '.repeat(manyBytes / 8)],
    ]
    for (const [what, body] of bodies) {
      it(`waits for an answer whose client pauses: ${what}`, async () => {
        const own = pattern(manyBytes)
        const { transport, client } = await serve({
          request: (exchange) => {
            exchange.respond(200, [], body(own))
            own.fill(0)
          },
        })
        const expected = Buffer.from(body(pattern(manyBytes)))
        const { headers, body: arriving } = await client.stream(get)
        expect(headers['content-length']).toBe(String(expected.byteLength))
        const flushed = recorder()
        const closed = transport
          .flushed()
          .then(flushed)
          .then(() => transport.close())
        await turns()
        expect(flushed.calls).toHaveLength(0)
        expect((await read(arriving)).equals(expected)).toBe(true)
        await closed
      })
    }

    it('waits for a stream that has ended and whose client pauses', async () => {
      const ended = deferred<void>()
      const { transport, client } = await serve({
        request: (exchange) => {
          const stream = exchange.stream(200, [])
          void stream.write(pattern(manyBytes))
          stream.end()
          ended.resolve()
        },
      })
      const { body } = await client.stream(get)
      await ended.promise
      const flushed = recorder()
      const closed = transport
        .flushed()
        .then(flushed)
        .then(() => transport.close())
      await turns()
      expect(flushed.calls).toHaveLength(0)
      expect((await read(body)).equals(pattern(manyBytes))).toBe(true)
      await closed
    })

    it('waits for an answer that is held back until the request has come in', async () => {
      const answered = deferred<void>()
      const rest = deferred<void>()
      const { transport, client } = await serve({
        request: (exchange) => {
          exchange.respond(403, [], 'no')
          answered.resolve()
        },
      })
      const length = 32 * kib
      const request = client.request({
        method: 'POST',
        path: '/',
        headers: { 'content-length': String(length) },
        body: (async function* () {
          yield new Uint8Array(length / 2)
          await rest.promise
          yield new Uint8Array(length / 2)
        })(),
      })
      await answered.promise
      await turns()
      const closed = transport.flushed().then(() => transport.close())
      rest.resolve()
      expect((await request).status).toBe(403)
      await closed
    })

    it('does not wait for a client that has left', async () => {
      const { transport, client } = await serve({
        request: (exchange) => exchange.respond(200, [], pattern(manyBytes)),
      })
      const leaving = new AbortController()
      const { body } = await client.stream({ ...get, signal: leaving.signal })
      await turns()
      leaving.abort()
      await expect(read(body)).rejects.toThrow()
      await transport.flushed()
    })

    it('resolves when a client that does not read is cut, which sees that the answer is not whole', async () => {
      const { transport, client } = await serve({
        request: (exchange) => exchange.respond(200, [], pattern(manyBytes)),
      })
      const { body } = await client.stream(get)
      await turns()
      const flushed = transport.flushed()
      await transport.close()
      await flushed
      await expect(read(body)).rejects.toMatchObject({ code: 'ECONNRESET' })
    })

    it('goes on with the same connection afterwards', async () => {
      const { transport, client } = await serve({
        request: (exchange) => exchange.respond(200, [], pattern(200 * kib)),
      })
      for (let i = 0; i < 3; i++) expect((await client.request(get)).body.byteLength).toBe(200 * kib)
      await transport.flushed()
    })

    const frame = pattern(64 * kib)
    const limits = { maxBackpressureBytes: 64 * kib * kib }
    it('waits for what is queued on a socket, and for its close frame', async () => {
      const { transport, socket, server, ended } = await open({}, limits)
      socket.pause()
      let sent = 0
      while (server.bufferedBytes() < 548 * kib) {
        server.send(frame, true)
        if (++sent % 20 === 0) await turns()
      }
      server.end(1012, 'Service restart')
      expect(await ended).toEqual({ code: 1012, reason: 'Service restart' })
      const flushed = recorder()
      const closed = transport
        .flushed()
        .then(flushed)
        .then(() => transport.close())
      await turns()
      expect(flushed.calls).toHaveLength(0)
      socket.resume()
      expect(await socket.closed).toEqual({ code: 1012, reason: 'Service restart' })
      expect(socket.frames.length).toBe(sent)
      await closed
    })

    for (const how of ['is cut', 'leaves']) {
      it(`does not wait for a socket whose client does not read and ${how}`, async () => {
        const { transport, socket, server } = await open({}, limits)
        socket.pause()
        for (let sent = 1; server.bufferedBytes() === 0; sent++) {
          server.send(frame, true)
          if (sent % 20 === 0) await turns()
        }
        server.end(1012, 'Service restart')
        const flushed = transport.flushed()
        if (how === 'is cut') server.close()
        else socket.terminate()
        await flushed
      })
    }
  })
}
