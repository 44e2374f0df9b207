import { randomUUID } from 'node:crypto'
import type { Timer } from '@twinwire/core/plugin'
import type { BrokerNode, NodeInfo } from '@twinwire/core/transport'
import { RedisError } from '@twinwire/redis'
import type { BrokerCells } from './broker-instruments.ts'
import type { NodeKeys } from './keys.ts'
import { parseJson } from './message.ts'
import type { RedisLink } from './redis-link.ts'
import { beatScript, nodesScript } from './scripts/node-scripts.ts'

/** How often a node renews its lease and reads control messages. */
export const beatMs = 500
/** After this time without a beat the node is dead for the others. */
const leaseMs = 8000
/** Beats between two probes of the subscriber. */
const probeBeats = 3
/** A probe that has not arrived by then is lost, and with it the subscriber. */
const probeMs = 3000
/** Longest time without a probe that arrived, while the node is ready. */
const receivesMs = 8000
/** Control messages in one reply. */
const pageSize = 200

/** What happens in a beat. None throws. */
export interface LoopListener {
  control(text: string): void
  /** Redis is another one, or has lost what it had. */
  renewed(serverMs: number): void
  leased(lease: string): void
  expired(lease: string): void
  /** The subscriber does not receive. */
  deaf(): void
  beat(serverMs: number): void
}

interface Beat {
  readonly epoch: string
  readonly serverMs: number
  readonly isKnown: boolean
  readonly nodes: number
  readonly expired: string
  readonly kept: readonly { readonly place: string; readonly text: string }[]
}

interface Probe {
  readonly text: string
  /** Null until Redis has taken it. */
  sentMs: number | null
}

/** Says every half second that this node lives, and hears by it what it must not miss. */
export class NodeLoop {
  readonly #link: RedisLink
  readonly #keys: NodeKeys
  readonly #node: Pick<BrokerNode, 'info' | 'log'>
  readonly #cells: BrokerCells
  readonly #listener: LoopListener
  #lease: string
  #isNew = true
  #leases = 1
  #epoch: string | null = null
  #lastKept = '0'
  #timer: Timer | null = null
  #beats = 0
  #probe: Probe | null = null
  #receivedMs: number
  #isClosed = false
  #running: Promise<void> = Promise.resolve()

  constructor(
    link: RedisLink,
    keys: NodeKeys,
    node: Pick<BrokerNode, 'info' | 'log'>,
    cells: BrokerCells,
    listener: LoopListener,
  ) {
    this.#link = link
    this.#keys = keys
    this.#node = node
    this.#cells = cells
    this.#listener = listener
    this.#lease = firstLease(node.info)
    this.#receivedMs = link.clock.monotonic()
  }

  get lease(): string {
    return this.#lease
  }

  /** How long ago the node last heard itself, if that is too long. */
  get deafForMs(): number | null {
    const forMs = this.#link.clock.monotonic() - this.#receivedMs
    return forMs > receivesMs ? Math.round(forMs) : null
  }

  /** The first beat: all control messages that are kept are handled when it resolves. */
  async start(): Promise<void> {
    await this.#beat()
    this.#receivedMs = this.#link.clock.monotonic()
    this.#schedule()
  }

  /** A message on the probe channel. */
  onProbe(text: string): void {
    if (text !== this.#probe?.text) return
    this.#probe = null
    this.#receivedMs = this.#link.clock.monotonic()
    this.#cells.probesAnswered.inc()
  }

  /** A new connection gets its own probe. */
  onSubscriberUp(): void {
    this.#probe = null
    this.#beats = 0
  }

  /** The leases that live, and their nodes. */
  async nodes(): Promise<ReadonlyMap<string, NodeInfo>> {
    const reply = await this.#link.run('read', nodesScript, [this.#keys.leases, this.#keys.infos], [])
    const parts = Array.isArray(reply) ? reply.map(String) : []
    const nodes = new Map<string, NodeInfo>()
    for (let i = 0; i + 1 < parts.length; i += 2) {
      const info = toNodeInfo(parseJson(parts[i + 1] ?? ''))
      if (info !== null) nodes.set(parts[i] ?? '', info)
    }
    return nodes
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#running
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#timer = this.#link.clock.timer(beatMs, () => {
      this.#running = this.#beat().then(
        () => this.#schedule(),
        (error: unknown) => {
          // The connection says what is wrong with it.
          this.#node.log.debug({ err: error }, 'A beat of the broker failed; the next one follows')
          this.#schedule()
        },
      )
    })
  }

  async #beat(): Promise<void> {
    // What arrived while this process was busy is read first.
    if (this.#isProbeLost()) await new Promise((resolve) => setImmediate(resolve))
    this.#checkProbe()
    for (;;) {
      const beat = await this.#send()
      if (this.#isClosed) return
      this.#cells.nodes.set(beat.nodes)
      this.#onLease(beat)
      if (this.#epoch !== beat.epoch) {
        const isFirst = this.#epoch === null
        this.#epoch = beat.epoch
        if (!isFirst) {
          this.#lastKept = '0'
          this.#listener.renewed(beat.serverMs)
          continue
        }
      }
      for (const { place, text } of beat.kept) {
        this.#lastKept = place
        this.#listener.control(text)
      }
      if (beat.expired !== '') this.#listener.expired(beat.expired)
      if (!this.#isNew && beat.kept.length < pageSize) return this.#listener.beat(beat.serverMs)
    }
  }

  #onLease({ isKnown }: Beat): void {
    if (this.#isNew) {
      this.#isNew = false
      return
    }
    if (isKnown) return
    // Others may be removing what belonged to it: the node goes on under another one.
    this.#leases += 1
    this.#lease = `${this.#node.info.id}.${this.#leases}`
    this.#isNew = true
    this.#node.log.warn('The lease of this node was lost: its members are registered again')
    this.#listener.leased(this.#lease)
  }

  async #send(): Promise<Beat> {
    const { meta, leases, infos, expired, kept, keptIds, keptUntil, probe } = this.#keys
    const { info } = this.#node
    const unsent = this.#probe?.sentMs === null ? this.#probe : null
    const reply = await this.#link.once(
      'beat',
      beatScript,
      [meta, leases, infos, expired, kept, keptIds, keptUntil],
      [
        ...[randomUUID(), this.#lease, leaseMs, JSON.stringify(info), this.#lastKept, pageSize],
        ...[unsent === null ? '' : probe(info.id), this.#link.publishCommand, this.#isNew ? 'new' : ''],
        unsent?.text ?? '',
      ],
    )
    if (unsent !== null) unsent.sentMs = this.#link.clock.monotonic()
    return toBeat(reply)
  }

  #isProbeLost(): boolean {
    const sentMs = this.#probe?.sentMs ?? null
    return sentMs !== null && this.#link.clock.monotonic() - sentMs > probeMs
  }

  #checkProbe(): void {
    if (this.#isProbeLost()) {
      this.#probe = null
      this.#cells.probesLost.inc()
      this.#listener.deaf()
    }
    if (this.#probe === null && this.#beats % probeBeats === 0) this.#probe = { text: randomUUID(), sentMs: null }
    this.#beats += 1
  }
}

export const firstLease = ({ id }: NodeInfo): string => `${id}.1`

function toBeat(reply: unknown): Beat {
  const [epoch, serverMs, isKnown, nodes, expired, ...rest] = Array.isArray(reply) ? reply.map(String) : []
  if (epoch === undefined || expired === undefined)
    throw new RedisError('error', 'Redis returned an unexpected reply to a beat')
  const kept = Array.from({ length: rest.length / 2 }, (_, i) => ({
    place: rest[2 * i] ?? '0',
    text: rest[2 * i + 1] ?? '',
  }))
  return { epoch, serverMs: Number(serverMs), isKnown: isKnown === '1', nodes: Number(nodes), expired, kept }
}

function toNodeInfo(value: unknown): NodeInfo | null {
  if (typeof value !== 'object' || value === null) return null
  const { id, startedAt, hostname, pid }: Partial<Record<keyof NodeInfo, unknown>> = value
  if (typeof id !== 'string' || typeof startedAt !== 'number') return null
  if (typeof hostname !== 'string' || typeof pid !== 'number') return null
  return { id, startedAt, hostname, pid }
}
