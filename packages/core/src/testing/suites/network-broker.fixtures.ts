import type {
  Broker,
  BrokerNode,
  ControlMessage,
  Entry,
  Member,
  Position,
  Publication,
  Stream,
} from '@twinwire/core/transport'

/** A stream, as the network keeps it: with a history of 100 for each that does not forbid one. */
interface Kept {
  readonly epoch: string
  readonly entries: Entry[]
  offset: number
}

interface Joined {
  readonly node: BrokerNode
  readonly topic: string
  readonly member: Member
}

const maxEntries = 100
const nameOf = (stream: Stream): string => JSON.stringify(stream)
const later = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What the brokers of one app share. */
export class Network {
  readonly nodes: Map<BrokerNode, Set<string>> = new Map()
  readonly members: Map<string, Joined> = new Map()
  readonly messages: ControlMessage[] = []
  readonly keys: Map<string, Position | null> = new Map()
  readonly #streams = new Map<string, Kept>()

  of(stream: Stream): Kept {
    const name = nameOf(stream)
    const kept = this.#streams.get(name) ?? { epoch: `epoch of ${this.#streams.size}`, entries: [], offset: 0 }
    this.#streams.set(name, kept)
    return kept
  }

  publish(publication: Publication, size: number): Position | null {
    const kept = this.of(publication.audience)
    const position = size === 0 ? null : { epoch: kept.epoch, offset: ++kept.offset }
    if (position !== null) kept.entries.push({ publication, position })
    if (kept.entries.length > size) kept.entries.splice(0, kept.entries.length - size)
    this.send(publication.audience, (node) => node.deliver(publication, position))
    return position
  }

  /** To all nodes, or to those that subscribe to `stream`; each gets everything in order. */
  send(stream: Stream | null, deliver: (node: BrokerNode) => void): void {
    for (const [node, streams] of this.nodes)
      if (stream === null || streams.has(nameOf(stream)))
        setImmediate(() => {
          try {
            if (this.nodes.has(node)) deliver(node)
          } catch {
            // The hub has logged it.
          }
        })
  }
}

/** Answers later, and delivers to each process of the network. */
export function networkBroker(network: Network): Broker {
  let node: BrokerNode | null = null
  const timers = new Set<NodeJS.Timeout>()
  const streams = (): Set<string> => network.nodes.get(node ?? fail()) ?? fail()
  const fail = (): never => {
    throw new Error('The broker does not run')
  }
  return {
    name: 'network',
    oneProcess: false,
    async start(started) {
      await later()
      node = started
      network.nodes.set(node, new Set())
      for (const message of network.messages) setImmediate(() => started.control(message))
    },
    close() {
      for (const timer of timers) clearTimeout(timer)
      if (node === null) return
      network.nodes.delete(node)
      for (const [id, entry] of network.members) if (entry.node === node) network.members.delete(id)
      node = null
    },
    async publish(publication, history, key) {
      const known = key === null ? undefined : network.keys.get(key)
      if (known !== undefined) return known
      const { size, ttlMs } =
        history === false ? { size: 0, ttlMs: 0 } : (history ?? { size: maxEntries, ttlMs: 60_000 })
      const position = network.publish(structuredClone(publication), size)
      if (key !== null) network.keys.set(key, position)
      const { entries } = network.of(publication.audience)
      timers.add(
        setTimeout(
          () => entries.splice(0, entries.findIndex((entry) => entry.position === position) + 1),
          ttlMs,
        ).unref(),
      )
      return position
    },
    async subscribe(stream, history) {
      await later()
      streams().add(nameOf(stream))
      const { epoch, offset } = network.of(stream)
      return history === false ? null : { epoch, offset }
    },
    unsubscribe: (stream) => void streams().delete(nameOf(stream)),
    async history(stream, history, since, limit) {
      await later()
      if (history === false) return null
      const { epoch, offset, entries } = network.of(stream)
      const position = { epoch, offset }
      if (since === null) return { entries: [], position, complete: true }
      const missed = offset - since.offset
      const complete = since.epoch === epoch && missed >= 0 && missed <= Math.min(entries.length, limit)
      return { entries: complete ? entries.slice(entries.length - missed) : [], position, complete }
    },
    async join(topic, member) {
      network.members.set(`${topic} ${member.connection}`, { node: node ?? fail(), topic, member })
      network.send({ kind: 'topic', topic }, ({ presence }) => presence({ topic, kind: 'joined', member }))
    },
    async leave(topic, { connection }) {
      const found = network.members.get(`${topic} ${connection}`)
      if (found === undefined) return
      network.members.delete(`${topic} ${connection}`)
      network.send({ kind: 'topic', topic }, ({ presence }) => presence({ topic, kind: 'left', member: found.member }))
    },
    async presence(topic, cursor, limit) {
      const all = [...network.members.values()].filter((entry) => entry.topic === topic).map(({ member }) => member)
      const first = Number(cursor ?? 0) || 0
      const end = first + limit
      return { members: all.slice(first, end), cursor: end < all.length ? String(end) : null }
    },
    async control(message, keepMs) {
      if (keepMs > 0) network.messages.push(message)
      network.send(null, (node) => node.control(message))
    },
    nodes: async () => [...network.nodes.keys()].map(({ info }) => info),
  }
}
