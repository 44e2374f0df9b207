import { SendResult } from '../../../transport/transport.ts'
import type { RawSocket } from '../../raw-client.ts'
import type { TestRunner } from '../../test-runner.ts'
import { deferred, eventually, recorder } from '../helpers.ts'
import type { TransportFixture } from './fixture.ts'

/** What cuts a socket, what it drops, and what a listener may not do. */
export function socketLimitsSuite({ describe, it, expect }: TestRunner, { open, serve }: TransportFixture): void {
  describe('limits and faults of sockets', () => {
    it('cuts on a frame that is too large, and takes one that just fits', async () => {
      const sizes: number[] = []
      const { socket, ended } = await open(
        { message: (data) => sizes.push(data.byteLength) },
        { maxPayloadBytes: 1024 },
      )
      socket.send(new Uint8Array(1024))
      socket.send(new Uint8Array(1025))
      expect((await ended).code).toBe(1006)
      expect((await socket.closed).code).toBe(1006)
      expect(sizes).toEqual([1024])
    })

    it('cuts on text that is not UTF-8', async () => {
      const message = recorder()
      const { socket, ended } = await open({ message })
      socket.send(new Uint8Array([0xc3, 0x28]), false)
      expect((await ended).code).toBe(1006)
      expect((await socket.closed).code).toBe(1006)
      expect(message.calls).toHaveLength(0)
    })

    it('queues for a client that does not read, drops past the limit, and delivers what was queued', async () => {
      const { socket, server } = await open({}, { maxBackpressureBytes: 100_000 })
      socket.pause()
      const frame = new Uint8Array(60_000)
      const sendUntil = (wanted: SendResult, accepted: number): number => {
        for (let sent = accepted; sent < 10_000; sent += 1) if (server.send(frame, true) === wanted) return sent
        throw new Error('never')
      }
      const beforeQueue = sendUntil(SendResult.queued, 0)
      expect(server.bufferedBytes()).toBeGreaterThan(0)
      const accepted = sendUntil(SendResult.dropped, beforeQueue + 1)
      // The frame that crossed the limit still went.
      expect(server.bufferedBytes()).toBeGreaterThan(100_000)
      expect(server.bufferedBytes()).toBeLessThanOrEqual(100_000 + 60_000 + 10)
      socket.resume()
      await readFrames(socket, accepted)
      await eventually(() => expect(server.bufferedBytes()).toBe(0), 15_000)
      expect(server.send('again', false)).toBe(SendResult.sent)
      expect((await socket.next()).data).toBe('again')
    })

    it('tells when bytes that were queued have left, and only then', async () => {
      const drained = recorder()
      const { socket, server } = await open({ drained })
      server.send('a', false)
      expect((await socket.next()).data).toBe('a')
      expect(drained.calls).toHaveLength(0)
      socket.pause()
      for (let tries = 0; server.send(new Uint8Array(60_000), true) !== SendResult.queued; tries += 1)
        expect(tries).toBeLessThan(10_000)
      const queued = server.bufferedBytes()
      socket.resume()
      await eventually(() => expect(drained.calls).not.toHaveLength(0), 15_000)
      expect(server.bufferedBytes()).toBeLessThan(queued)
      await eventually(() => expect(server.bufferedBytes()).toBe(0), 15_000)
    })

    it('ends a slow client after what is queued, or cuts it when close comes first', async () => {
      const overfull = async () => {
        const opened = await open({}, { maxBackpressureBytes: 100_000 })
        opened.socket.pause()
        for (let tries = 0; opened.server.send(new Uint8Array(60_000), true) !== SendResult.dropped; tries += 1) {
          expect(tries).toBeLessThan(10_000)
        }
        opened.server.end(1013, 'slow')
        expect(opened.closures).toEqual([{ code: 1013, reason: 'slow' }])
        return opened
      }
      const patient = await overfull()
      patient.socket.resume()
      expect(await patient.socket.closed).toEqual({ code: 1013, reason: 'slow' })
      const cut = await overfull()
      cut.server.close()
      cut.socket.resume()
      expect((await cut.socket.closed).code).toBe(1006)
      expect(cut.closures).toHaveLength(1)
    })

    it('reports a listener that throws, and closes the socket', async () => {
      const { socket, faults } = await open({
        message: () => {
          throw new Error('in message')
        },
        closed: () => {
          throw new Error('in closed')
        },
      })
      socket.send('x')
      expect((await socket.closed).code).toBe(1006)
      expect(faults).toMatchObject([{ message: 'in message' }, { message: 'in closed' }])
    })

    it('reports an opened that throws, and closes the socket', async () => {
      const ended = deferred<number>()
      const { client, faults } = await serve({
        upgrade: (request) =>
          request.accept({
            opened: () => {
              throw new Error('in opened')
            },
            message() {},
            closed: ended.resolve,
          }),
      })
      // Cut so early, it may be that the client has not even seen its handshake answered.
      const code = await client.connect().then(
        async (socket) => (await socket.closed).code,
        () => 1006,
      )
      expect([code, await ended.promise]).toEqual([1006, 1006])
      expect(faults).toMatchObject([{ message: 'in opened' }])
    })
  })
}

async function readFrames(socket: RawSocket, count: number): Promise<void> {
  for (let read = 0; read < count; read += 1) await socket.next()
}
