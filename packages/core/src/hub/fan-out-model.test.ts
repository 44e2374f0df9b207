// Random publications, joins, leaves, replies and closes, with clients that stop reading, against a model of what each client receives.
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Connection, event, route } from '../index.ts'
import type { Codec } from '../protocol/codec.ts'
import { jsonCodec } from '../protocol/json-codec.ts'
import type { RawSocket } from '../testing/raw-client.ts'
import { packet, plugin, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const tick = event({ data: v.object({ n: v.number(), pad: v.string() }) })
/** Below and above the size from which uWebSockets.js does not collect frames. */
const sizes = [10, 10, 10, 1000, 1000, 8000, 17_000]
const topics = ['a', 'b', 'c']

/** A second encoding: the same in binary frames. */
const binaryCodec: Codec = {
  ...jsonCodec,
  name: 'binary',
  binary: true,
  encodeReply: (...args) => Buffer.from(jsonCodec.encodeReply(...args)),
  encodeEvent: (...args) => Buffer.from(jsonCodec.encodeEvent(...args)),
}

/** Numbers that look random and are the same in every run: a failure can be run again. */
function sequence(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** One client, and the model of it. */
interface Peer {
  readonly socket: RawSocket
  readonly connection: Connection
  /** What it should receive, unless it is too slow. */
  readonly expected: number[]
  open: boolean
  reading: boolean
}

describe('publications, against a model', () => {
  onTransports({ describe, afterEach }, ({ start, transport }) => {
    it.each([1, 2, 3, 4])(
      'arrive once and in order, or the client is closed at the first one it misses: seed %i',
      async (seed) => {
        const random = sequence(seed * 7919)
        const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T
        const peers = new Map<string, Peer>()
        const arrived: Connection[] = []
        let n = 0
        let tooSlow = 0

        const act = (): void => {
          const peer = pick([...peers.values()])
          const kind = random(20)
          if (kind < 10) publish(random(4) === 0 ? null : pick(topics))
          else if (kind < 14) note(peer)
          else if (kind < 16 && peer.open) void peer.connection.join(pick(topics))
          else if (kind < 18) peer.connection.leave(pick(topics))
        }
        const receives = (peer: Peer, number: number): void => void (peer.open && peer.expected.push(number))
        const publish = (topic: string | null): void => {
          const number = n++
          for (const peer of peers.values())
            if (topic === null || peer.connection.topics.includes(topic)) receives(peer, number)
          const data = { n: number, pad: 'x'.repeat(pick(sizes)) }
          if (topic === null) void app.hub.broadcast(tick, data)
          else void app.hub.publish(topic, tick, data)
        }
        const note = (peer: Peer): void => {
          const number = n++
          receives(peer, number)
          peer.connection.sendControl({ type: 'note', n: number })
        }

        const { app, connect } = await start({
          clock: createVirtualClock(),
          codecs: [jsonCodec, binaryCodec],
          pkgIds: { ACT: 1, TICK: 100 },
          routes: {
            ACT: route({
              handler: (_input, call) => {
                for (let i = random(8); i > 0; i--) act()
                const peer = peers.get(call.connection?.id ?? '')
                const number = n++
                if (peer !== undefined) receives(peer, number)
                return { n: number }
              },
            }),
          },
          events: { TICK: tick },
          topics: { a: { authorize: () => true }, b: { authorize: () => true }, c: { authorize: () => true } },
          websocket: { maxBackpressureBytes: 256 * 1024, idleTimeoutSeconds: 0 },
          plugins: [
            plugin((host) => {
              host.onConnect((connection) => void arrived.push(connection))
              host.onDisconnect((connection, { code }) => {
                const peer = peers.get(connection.id)
                if (peer === undefined) return
                peer.open = false
                if (code === 1013) tooSlow++
                // The others receive it after the publication that this client was too slow for.
                publish(null)
              })
            }),
          ],
        })
        for (let i = 0; i < 14; i++) {
          const socket = await connect({ path: `/ws?format=${i % 3 === 0 ? 'binary' : 'json'}` })
          await until(() => app.hub.size === i + 1)
          const connection = arrived[i] as Connection
          const peer = { socket, connection, expected: [], open: true, reading: true }
          peers.set(connection.id, peer)
          await Promise.all(topics.map((topic) => connection.join(topic)))
        }
        await new Promise((resolve) => setImmediate(resolve))

        const all = [...peers.values()]
        const lazy = all.slice(0, 5)
        all.at(-1)?.socket.pause()
        // Over real sockets the system takes some megabytes before a limit is felt.
        const rounds = transport === 'uws' ? 400 : 60
        for (let round = 0; round < rounds || (tooSlow === 0 && round < 10 * rounds); round++) {
          const peer = pick(lazy)
          if (random(20) === 0) {
            if (peer.reading) peer.socket.pause()
            else peer.socket.resume()
            peer.reading = !peer.reading
          }
          if (round % 90 === 89) pick(all.slice(5, 7)).connection.close({ code: 4000, reason: 'enough' })
          const how = random(3)
          if (how === 0) pick(all).socket.send(packet(1))
          else if (how === 1) await Promise.resolve().then(() => act())
          for (let i = random(round % 10 === 0 ? 120 : 12); i > 0; i--) act()
          if (random(3) > 0) await new Promise((resolve) => setImmediate(resolve))
        }
        for (const { socket } of all) socket.resume()
        await until(() => all.every(({ connection }) => connection.bufferedBytes === 0))
        // Requests that were on their way have arrived, and what is published now is the last of all.
        for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
        publish(null)
        const numbersOf = ({ socket }: Peer): number[] => socket.frames.map(({ data }) => numberOf(data))
        await until(() => all.every((peer) => !peer.open || numbersOf(peer).at(-1) === n - 1))

        let received = 0
        for (const peer of all) {
          if (!peer.open) await peer.socket.closed
          const numbers = numbersOf(peer)
          received += numbers.length
          expect(numbers).toEqual(peer.open ? peer.expected : peer.expected.slice(0, numbers.length))
        }
        const counted = (name: string): unknown => {
          const cell = app.instruments.families().find((family) => family.name === name)?.cells[0]?.cell
          return cell !== undefined && 'value' in cell ? cell.value : undefined
        }
        expect(tooSlow).toBeGreaterThan(0)
        expect(counted('ws_dropped_sends_total')).toBe(tooSlow)
        // Everything that was accepted has arrived.
        expect(counted('ws_messages_sent_total')).toBe(received)
        const open = all.filter((peer) => peer.open)
        expect(app.hub.size).toBe(open.length)
        for (const topic of topics)
          expect(app.hub.topicSize(topic)).toBe(
            open.filter(({ connection }) => connection.topics.includes(topic)).length,
          )
      },
      60_000,
    )
  })
})

function numberOf(data: string | Uint8Array): number {
  const { n, data: inner } = JSON.parse(String(typeof data === 'string' ? data : Buffer.from(data))) as {
    n?: number
    data?: { n: number }
  }
  return n ?? inner?.n ?? Number.NaN
}
