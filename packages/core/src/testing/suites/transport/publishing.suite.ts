import { SendResult, type Socket, type SocketLimits, type Transport } from '../../../transport/transport.ts'
import type { RawSocket } from '../../raw-client.ts'
import type { TestRunner } from '../../test-runner.ts'
import { eventually, recorder, text } from '../helpers.ts'
import type { TransportFixture } from './fixture.ts'

/** Below and above the size from which uWebSockets.js does not collect frames. */
const sizes = [1, 1000, 16_383, 16_384, 40_000]

const frame = (label: string | number, size = 1): Uint8Array => new TextEncoder().encode(`${label} ${'x'.repeat(size)}`)

/** Both ends of one socket. */
interface Pair {
  readonly client: RawSocket
  readonly server: Socket
}

/** Publishing, and its order with everything else that a socket sends. */
export function publishingSuite({ describe, it, expect }: TestRunner, { serve }: TransportFixture): void {
  describe('publishing', () => {
    /** `message` runs for each message that a client sends, within the callback of the transport. */
    async function connect(
      limits: Partial<SocketLimits> = {},
      message: (server: Socket, transport: Transport) => void = () => {},
    ): Promise<{ transport: Transport; pairs: readonly [Pair, Pair, Pair]; faults: unknown[] }> {
      const servers: Socket[] = []
      const { client, transport, faults } = await serve({
        limits,
        upgrade: (request) => {
          let own: Socket | undefined
          request.accept({
            opened: (socket) => {
              own = socket
              servers.push(socket)
            },
            message: () => own !== undefined && message(own, transport),
            closed() {},
          })
        },
      })
      const open = async (): Promise<Pair> => {
        const socket = await client.connect()
        await eventually(() => expect(servers).toHaveLength(1))
        const [server] = servers.splice(0)
        if (server === undefined) throw new Error('It did not open')
        return { client: socket, server }
      }
      const pairs = [await open(), await open(), await open()] as const
      return { transport, pairs, faults }
    }

    const labels = async ({ client }: Pair, count: number): Promise<string[]> => {
      const read: string[] = []
      while (read.length < count) read.push(labelOf((await client.next()).data))
      return read
    }

    it('reaches the subscribers of a topic and no others, as text and as bytes', async () => {
      const { transport, pairs } = await connect()
      const [one, two, three] = pairs
      one.server.subscribe('a')
      two.server.subscribe('a')
      two.server.subscribe('b')
      transport.publish('a', frame('grüße'), false)
      transport.publish('b', frame('b'), true)
      transport.publish('empty', frame('none'), false)
      three.server.send('own', false)
      expect(await one.client.next()).toEqual({ data: 'grüße x', binary: false })
      expect(await two.client.next()).toEqual({ data: 'grüße x', binary: false })
      expect(await two.client.next()).toEqual({ data: frame('b'), binary: true })
      expect((await three.client.next()).data).toBe('own')
    })

    it('keeps the bytes that were published', async () => {
      const { transport, pairs } = await connect()
      const [one] = pairs
      one.server.subscribe('a')
      for (const size of sizes) {
        const bytes = frame(size, size)
        transport.publish('a', bytes, false)
        bytes.fill(0)
      }
      expect(await labels(one, sizes.length)).toEqual(sizes.map(String))
    })

    it('decides who receives it at once: neither a later subscriber, nor without one that leaves later', async () => {
      for (const size of sizes) {
        const { transport, pairs } = await connect()
        const [early, late] = pairs
        early.server.subscribe('a')
        transport.publish('a', frame('first', size), false)
        early.server.unsubscribe('a')
        late.server.subscribe('a')
        late.server.subscribe('a')
        transport.publish('a', frame('second', size), false)
        early.server.send('end ', false)
        expect(await labels(early, 2)).toEqual(['first', 'end'])
        expect(await labels(late, 1)).toEqual(['second'])
      }
    })

    it('keeps the order of all that is sent, in a callback and outside of one', async () => {
      const mixed = (server: Socket, transport: Transport): number => {
        let sent = 0
        server.subscribe('a')
        server.subscribe('b')
        for (let round = 0; round < 3; round++) {
          // More in one turn than uWebSockets.js collects for a socket.
          for (let i = 0; i < 40; i++) transport.publish(i % 2 ? 'a' : 'b', frame(sent++, sizes[i % 3]), false)
          server.send(frame(sent++), false)
          for (const size of sizes) transport.publish('a', frame(sent++, size), false)
          server.cork(() => {
            server.send(frame(sent++), false)
            transport.publish('b', frame(sent++), false)
            server.send(frame(sent++), false)
          })
        }
        return sent
      }
      let sent = 0
      const { transport, pairs } = await connect({}, (server) => {
        sent = mixed(server, transport)
      })
      const [one] = pairs
      one.client.send('go')
      await eventually(() => expect(sent).toBeGreaterThan(0))
      expect(await labels(one, sent)).toEqual(Array.from({ length: sent }, (_, i) => String(i)))
      sent = mixed(one.server, transport)
      expect(await labels(one, sent)).toEqual(Array.from({ length: sent }, (_, i) => String(i)))
    })

    it('sends what was published before the close frame', async () => {
      for (const how of ['in a callback', 'outside of one']) {
        const end = (server: Socket, transport: Transport): void => {
          server.subscribe('a')
          for (const size of sizes) transport.publish('a', frame(size, size), false)
          server.unsubscribe('a')
          transport.publish('a', frame('too late'), false)
          server.end(4000, 'bye')
          transport.publish('a', frame('too late'), false)
        }
        const { transport, pairs } = await connect({}, end)
        const [one] = pairs
        if (how === 'in a callback') one.client.send('go')
        else end(one.server, transport)
        expect(await labels(one, sizes.length)).toEqual(sizes.map(String))
        expect(await one.client.closed).toEqual({ code: 4000, reason: 'bye' })
      }
    })

    it('forgets a socket that is closed', async () => {
      const { transport, pairs, faults } = await connect()
      const [one, two] = pairs
      one.server.subscribe('a')
      two.server.subscribe('a')
      transport.publish('a', frame('cut off'), false)
      one.server.close()
      one.server.subscribe('a')
      one.server.unsubscribe('a')
      transport.publish('a', frame('two'), false)
      expect(await labels(two, 2)).toEqual(['cut', 'two'])
      expect(faults).toEqual([])
      await transport.close()
      transport.publish('a', frame('closed'), false)
      expect(faults).toEqual([])
    })

    it('queues no more for a socket than acceptedBytes grows, and shows it in time', async () => {
      const { transport, pairs } = await connect({ maxBackpressureBytes: 2 ** 30 })
      const [slow, other] = pairs
      slow.client.pause()
      slow.server.subscribe('a')
      other.server.subscribe('a')
      // More than the system takes, which is all that it takes once the queue stays as it is.
      const payload = frame('n', 30_000)
      while (slow.server.bufferedBytes() < 16 * 1024 * 1024) slow.server.send(payload, false)
      for (let before = 0; before !== slow.server.bufferedBytes(); ) {
        before = slow.server.bufferedBytes()
        for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
      for (const size of sizes) {
        const [queued, accepted] = [slow.server.bufferedBytes(), transport.acceptedBytes]
        transport.publish('a', frame('n', size), false)
        // At once, though the frame may leave later.
        expect(slow.server.bufferedBytes()).toBeGreaterThan(queued + size)
        await Promise.resolve()
        expect(slow.server.bufferedBytes()).toBeGreaterThan(queued + size)
        slow.server.send('reply', false)
        await new Promise((resolve) => setImmediate(resolve))
        expect(slow.server.bufferedBytes()).toBeGreaterThan(queued + size)
        expect(slow.server.bufferedBytes() - queued).toBeLessThanOrEqual(transport.acceptedBytes - accepted)
      }
    })

    it('sends what was published to a client that reads late, then the close frame, and reports when all has left', async () => {
      const { transport, pairs } = await connect({ maxBackpressureBytes: 2 ** 30 })
      const [slow] = pairs
      slow.client.pause()
      slow.server.subscribe('a')
      let sent = 0
      for (; slow.server.bufferedBytes() === 0 || sent % 100 !== 0; sent += 1) {
        expect(slow.server.send(frame(sent, 30_000), false)).not.toBe(SendResult.dropped)
      }
      for (let i = 0; i < 20; i++) transport.publish('a', frame(sent++, 8000), false)
      slow.server.end(4000, 'bye')
      expect(slow.server.bufferedBytes()).toBeGreaterThan(20 * 8000)
      const flushed = recorder()
      const waiting = transport.flushed().then(flushed)
      await new Promise((resolve) => setImmediate(resolve))
      expect(flushed.calls).toHaveLength(0)
      slow.client.resume()
      expect(await labels(slow, sent)).toEqual(Array.from({ length: sent }, (_, i) => String(i)))
      expect(await slow.client.closed).toEqual({ code: 4000, reason: 'bye' })
      await waiting
    })
  })
}

function labelOf(data: string | Uint8Array): string {
  return (typeof data === 'string' ? data : text(data)).replace(/ .*/s, '')
}
