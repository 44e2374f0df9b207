import { describe, expect, it, vi } from 'vitest'
import type { RawSocket } from '../../testing/raw-client.ts'
import { SendResult } from '../transport.ts'
import type { ContractFixture } from './fixture.ts'

/** What cuts a socket, what it drops, and what a listener may not do. */
export function describeSocketLimits({ open }: ContractFixture): void {
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

    it('cuts on text that is no UTF-8', async () => {
      const message = vi.fn()
      const { socket, ended } = await open({ message })
      socket.send(new Uint8Array([0xc3, 0x28]), false)
      expect((await ended).code).toBe(1006)
      expect((await socket.closed).code).toBe(1006)
      expect(message).not.toHaveBeenCalled()
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
      await vi.waitFor(() => expect(server.bufferedBytes()).toBe(0))
      expect(server.send('again', false)).toBe(SendResult.sent)
      expect((await socket.next()).data).toBe('again')
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
      const { socket, faults, closures } = await open({
        opened: () => {
          throw new Error('in opened')
        },
      })
      expect((await socket.closed).code).toBe(1006)
      expect(closures).toHaveLength(1)
      expect(faults).toMatchObject([{ message: 'in opened' }])
    })
  })
}

async function readFrames(socket: RawSocket, count: number): Promise<void> {
  for (let read = 0; read < count; read += 1) await socket.next()
}
