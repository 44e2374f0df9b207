// Subscribing, publishing, leaving, closing, resuming, and the loss of messages, nodes and the server of the broker, in every order, against
// what the order guarantee says that a connection may receive.

import { UnavailableError } from '../../errors/app-error.ts'
import type { NetworkBroker } from '../../testing/simulation/broker/network-broker.ts'
import { createVirtualClock, type VirtualClock } from '../../testing.ts'
import type { Position } from '../broker.ts'
import { ModelConnection, ModelNode, said, streamOf } from './model-node.fixtures.ts'
import type { Operation } from './model-operations.fixtures.ts'
import { type BrokerNetwork, createBrokerNetwork } from './network.fixtures.ts'
import { type Seen, StreamView, type Truth } from './order-checker.fixtures.ts'

const topics = [':a', ':a', ':b'] as const
const people = ['ann', 'bob'] as const

type NetworkNode = ModelNode<NetworkBroker>

/** One client: it connects again, and knows how far it has come. */
class Client {
  readonly identityId: string
  readonly connections: ModelConnection[] = []
  node: NetworkNode | null = null

  constructor(identityId: string) {
    this.identityId = identityId
  }
  get connection(): ModelConnection | null {
    const last = this.connections.at(-1)
    return last?.admitted === true ? last : null
  }

  /** Of the last thing with a position that it received of a stream. */
  known(stream: string): Position | null {
    for (const connection of [...this.connections].reverse())
      for (const seen of [...connection.seen].reverse()) {
        if (!('stream' in seen) || seen.stream !== stream) continue
        if (seen.kind === 'event' && seen.meta !== null) return seen.meta
        if ((seen.kind === 'answer' || seen.kind === 'gap') && seen.position !== null) return seen.position
      }
    return null
  }
}

export class World {
  readonly clock: VirtualClock = createVirtualClock()
  readonly network: BrokerNetwork
  readonly nodes: NetworkNode[] = []
  readonly clients: Client[]
  readonly #random: { value: number }
  #published = 0
  #requests = 0

  constructor(random: number, historySize: number) {
    this.#random = { value: random }
    const next = (below: number): number => {
      this.#random.value = (Math.imul(this.#random.value, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((this.#random.value / 2 ** 32) * below)
    }
    this.network = createBrokerNetwork({
      manual: true,
      clock: this.clock,
      random: next,
      history: { size: historySize, ttlMs: 60_000 },
    })
    this.clients = people.flatMap((person) => [new Client(person), new Client(person)])
  }

  async begin(): Promise<void> {
    for (let i = 0; i < 3; i++) await this.#startNode()
    for (const [i, client] of this.clients.entries()) {
      this.#connect(client, i)
      if (i > 0) this.#subscribe(i, 0, 0)
    }
    await this.network.settle()
  }

  async run(operation: Operation): Promise<void> {
    if (operation.op === 'steps')
      for (const pick of operation.picks) {
        this.network.next((steps) => (pick >> 1) % steps)
        if (pick % 2 === 1) await turn()
      }
    else if (operation.op === 'publish') this.#publish(operation.node, operation.stream)
    else if (operation.op === 'subscribe') this.#subscribe(operation.who, operation.stream, operation.since)
    else if (operation.op === 'join') this.#join(operation.who, operation.stream)
    else if (operation.op === 'leave') this.#leave(operation.who, operation.stream)
    else if (operation.op === 'connect') this.#connect(this.#client(operation.who), operation.node)
    else if (operation.op === 'return') {
      this.#connect(this.#client(operation.who), operation.node)
      this.#subscribe(operation.who, 0, 1)
    } else if (operation.op === 'close') this.#client(operation.who).connection?.end()
    else if (operation.op === 'cut') this.#node(operation.node).broker.cut()
    else if (operation.op === 'restore') this.#node(operation.node).broker.restore()
    else if (operation.op === 'trim') this.network.trim(streamOf(this.#stream(operation.stream)), operation.keep)
    else if (operation.op === 'wait') await this.clock.advance(operation.ms)
    else if (operation.op === 'empty') this.network.empty()
    else if (operation.op === 'kill') await this.#kill(this.#node(operation.node))
  }

  /** All come back, and everything arrives. */
  async end(): Promise<void> {
    for (const { broker } of this.nodes) broker.restore()
    await this.network.settle()
    // What the hub tries again, or leaves a little later.
    await this.clock.advance(2000)
    for (const { broker } of this.nodes) broker.restore()
    await this.network.settle()
  }

  check(): void {
    const places = new Map<number, ReturnType<Truth['place']>>()
    const counts = new Map<string, number>()
    for (const { stream, publication, position } of this.network.server.log) {
      const index = (counts.get(stream) ?? 0) + 1
      counts.set(stream, index)
      places.set((publication.data as { n: number }).n, { stream, position, index })
    }
    const truth: Truth = { place: (n) => places.get(n) ?? null }
    for (const [i, client] of this.clients.entries())
      for (const connection of client.connections) {
        count(connection.seen)
        const views = new Map<string, StreamView>()
        try {
          for (const seen of connection.seen) {
            const view = views.get(seen.stream) ?? new StreamView(truth, seen.stream.startsWith(':'))
            views.set(seen.stream, view)
            view.see(seen)
          }
          if (connection.admitted)
            for (const [stream, view] of views) view.end(this.network.server.head(streamOf(stream)))
        } catch (error) {
          const all = connection.seen.map((seen) => JSON.stringify(seen)).join('\n')
          throw new Error(`client ${i}, ${connection.id}: ${error}\n${all}`)
        }
      }
    // That the broker did not take a publication is reported, too.
    for (const { errors, broker } of this.nodes)
      for (const error of [...errors, ...broker.errors]) if (!(error instanceof UnavailableError)) throw error
  }

  async #startNode(): Promise<NetworkNode> {
    const node = new ModelNode(this.network.createBroker(), this.clock)
    this.nodes.push(node)
    const started = node.start()
    await turn()
    for (let steps = node.broker.steps(); steps.length > 0; steps = node.broker.steps()) {
      steps[0]?.run()
      await turn()
    }
    await started
    return node
  }

  /** Another one starts in its place. */
  async #kill(node: NetworkNode): Promise<void> {
    for (const connection of node.connections) connection.end()
    node.broker.kill()
    node.isAlive = false
    await this.#startNode()
  }

  #connect(client: Client, index: number): void {
    client.connection?.end()
    const node = this.#node(index)
    const connection = new ModelConnection(node, client.identityId, (stream) =>
      this.network.server.head(streamOf(stream)),
    )
    client.connections.push(connection)
    client.node = node
    node.connections.add(connection)
    node.hub.add(connection)
    for (const name of ['@me', '@all']) {
      const stream = connection.keyOf(name)
      connection.note({ kind: 'joining', stream })
      connection.note({ kind: 'joined', stream, position: node.broker.delivered(streamOf(stream)) })
    }
  }

  #subscribe(who: number, index: number, kind: number): void {
    const client = this.#client(who)
    const { connection, node } = client
    if (connection === null || node === null) return
    const stream = connection.keyOf(this.#name(index))
    const known = client.known(stream)
    const since =
      kind < 8 || known === null
        ? kind < 1
          ? null
          : known
        : kind < 10
          ? { ...known, offset: Math.max(known.offset - (kind - 7), 0) }
          : kind === 10
            ? { ...known, offset: known.offset + 5 }
            : { ...known, epoch: 'other' }
    const request = ++this.#requests
    connection.note({ kind: 'asked', stream, request, since })
    const failed = (): void => connection.note({ kind: 'failed', stream, request })
    try {
      Promise.resolve(
        node.hub.subscribe(
          connection,
          streamOf(stream),
          { history: undefined, resume: true },
          since,
          ({ position, recovered }) =>
            connection.note({
              kind: 'answer',
              stream,
              request,
              position,
              recovered,
              head: this.network.server.head(streamOf(stream)),
            }),
        ),
      ).catch(failed)
    } catch {
      failed()
    }
  }

  #join(who: number, index: number): void {
    const { connection, node } = this.#client(who)
    const stream = this.#topic(index)
    if (connection === null || node === null) return
    connection.note({ kind: 'joining', stream })
    void Promise.resolve(node.hub.join(connection, stream.slice(1))).then(
      () => {
        if (connection.joined.has(stream.slice(1)))
          connection.note({ kind: 'joined', stream, position: node.broker.delivered(streamOf(stream)) })
      },
      () => {},
    )
  }

  #leave(who: number, index: number): void {
    const { connection, node } = this.#client(who)
    const stream = this.#topic(index)
    if (connection === null || node === null) return
    node.hub.leave(connection, stream.slice(1))
    connection.note({ kind: 'left', stream })
  }

  #publish(index: number, streamIndex: number): void {
    const node = this.#node(index)
    const stream = this.#stream(streamIndex)
    const data = { n: ++this.#published, stream }
    const to = streamOf(stream)
    // The broker may not take it.
    const refused = (): void => {}
    if (to.kind === 'topic') node.hub.publish(to.topic, said, data)?.catch(refused)
    else if (to.kind === 'identity') node.hub.sendTo(to.identityId, said, data)?.catch(refused)
    else node.hub.broadcast(said, data)?.catch(refused)
  }

  #client(index: number): Client {
    return this.clients[index % this.clients.length] as Client
  }
  #node(index: number): NetworkNode {
    const alive = this.nodes.filter(({ isAlive }) => isAlive)
    return alive[index % alive.length] as NetworkNode
  }
  #topic(index: number): string {
    return topics[index % topics.length] as string
  }
  #name(index: number): string {
    return ['a', 'a', 'a', 'a', 'a', 'a', 'a', 'b', 'b', '@me', '@me', '@all'][index % 12] as string
  }
  #stream(index: number): string {
    return [':a', ':a', ':a', ':a', ':a', ':a', ':a', ':b', ':b', '@ann', '@ann', '*'][index % 12] as string
  }
}

/** What has happened in all runs: a model in which nothing does would prove nothing. */
export const happened = { events: 0, gaps: 0, recovered: 0, replayed: 0, lost: 0, failed: 0 }

function count(seen: readonly Seen[]): void {
  const asked = new Map<number, Position | null>()
  for (const each of seen) {
    if (each.kind === 'event') happened.events += 1
    else if (each.kind === 'gap') happened.gaps += 1
    else if (each.kind === 'failed') happened.failed += 1
    else if (each.kind === 'asked') asked.set(each.request, each.since)
    else if (each.kind === 'answer') {
      const since = asked.get(each.request) ?? null
      if (since === null) continue
      if (!each.recovered) happened.lost += 1
      else if (each.position?.offset === since.offset) happened.recovered += 1
      else happened.replayed += 1
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
