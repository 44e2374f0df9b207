import type { Publication } from '../../../call/publication.ts'
import { UnavailableError } from '../../../errors/app-error.ts'
import type {
  Broker,
  BrokerNode,
  ControlMessage,
  HistoryPage,
  Member,
  MemberPage,
  NodeInfo,
  Position,
  PresenceChange,
  Stream,
  StreamHistory,
} from '../../../hub/broker.ts'
import { streamKey } from '../../../hub/stream-key.ts'
import { Requests, type Step } from './broker-requests.ts'
import type { KeptMessage, NetworkServer, ServerClient } from './network-server.ts'
import { Subscription } from './network-subscription.ts'

export interface NetworkOptions {
  /** An integer from 0 to `below - 1`: decides what is lost when a connection is cut. */
  readonly random: (below: number) => number
  /** There may be other steps. */
  readonly changed: () => void
}

/** The broker of one node of a network, and what can happen to it. */
export class NetworkBroker implements Broker, ServerClient {
  readonly name = 'network'
  readonly oneProcess = false
  /** What `deliver` of the node threw. */
  readonly errors: unknown[] = []
  readonly #server: NetworkServer
  readonly #options: NetworkOptions
  readonly #requests: Requests
  #node: BrokerNode | null = null
  #isCut = false
  /** It connects again when a step says so. */
  #comesBack = false
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #changes: PresenceChange[] = []
  readonly #messages: ControlMessage[] = []
  readonly #seen = new Set<KeptMessage>()
  readonly #joined = new Map<string, { readonly topic: string; readonly member: Member }>()

  constructor(server: NetworkServer, options: NetworkOptions) {
    this.#server = server
    this.#options = options
    this.#requests = new Requests(options.changed)
  }

  /** Of the process that it works for; null before `start` and after its end. */
  get nodeId(): string | null {
    return this.#node?.info.id ?? null
  }

  get isCut(): boolean {
    return this.#isCut
  }

  start(node: BrokerNode): void {
    this.#node = node
    if (!this.#isCut) this.#connect()
  }

  close(): void {
    if (this.#node === null) return
    if (!this.#isCut) this.#requests.finish()
    this.#server.expire(this.#id())
    this.kill()
  }

  /** The process ends without a word; for the others it lives until `expire` of the network. */
  kill(): void {
    this.#server.clients.delete(this)
    this.#node = null
    this.#requests.drop()
  }

  /**
   * It cannot reach the server: requests fail, and nothing arrives but what had arrived. With `comesBack` a step restores it, else `restore`.
   */
  cut({ comesBack = false }: { readonly comesBack?: boolean } = {}): void {
    this.#isCut = true
    this.#comesBack = comesBack
    this.#server.clients.delete(this)
    for (const subscription of this.#subscriptions.values()) subscription.cut(this.#options.random)
    this.#messages.length = 0
    this.#changes.length = 0
    this.#options.changed()
  }

  restore(): void {
    if (!this.#isCut) return
    this.#isCut = false
    if (this.#node !== null) this.#connect()
  }

  publish(publication: Publication, history: StreamHistory, key: string | null): Promise<Position | null> {
    // As over a network: what is delivered is another object.
    const copy: Publication = JSON.parse(JSON.stringify(publication))
    const what = `publish ${streamKey(publication.audience)}`
    return this.#requests.add(what, what, () => this.#server.publish(copy, history, key))
  }

  subscribe(stream: Stream, history: StreamHistory): Promise<Position | null> {
    const key = streamKey(stream)
    const known = this.#subscriptions.get(key)
    if (known !== undefined && !known.isLeaving) throw new Error(`${key} is subscribed to twice`)
    const subscription = known ?? new Subscription(stream, history)
    this.#subscriptions.set(key, subscription)
    subscription.isLeaving = false
    subscription.isAnswered = false
    return this.#requests.add(
      `subscribe ${key}`,
      null,
      // A node that has not left yet goes on where it is.
      () => (known === undefined ? subscription.begin(this.#server.position(stream, history)) : known.done),
      {
        answered: () => {
          subscription.isAnswered = true
        },
        failed: () => this.#end(subscription),
      },
    )
  }

  unsubscribe(stream: Stream): void {
    const subscription = this.#subscriptions.get(streamKey(stream))
    if (subscription === undefined) return
    if (subscription.isAnswered) subscription.isLeaving = true
    else this.#end(subscription)
    this.#options.changed()
  }

  history(stream: Stream, history: StreamHistory, since: Position | null, limit: number): Promise<HistoryPage | null> {
    const what = `history ${streamKey(stream)}`
    return this.#requests.add(what, null, () => this.#server.history(stream, history, since, limit))
  }

  join(topic: string, member: Member): Promise<void> {
    this.#joined.set(`${topic} ${member.connection}`, { topic, member })
    const order = `member ${member.connection}`
    return this.#requests.add('join', order, () => this.#server.join(topic, member, this.#id()))
  }

  leave(topic: string, { connection }: Member): Promise<void> {
    this.#joined.delete(`${topic} ${connection}`)
    return this.#requests.add('leave', `member ${connection}`, () => this.#server.leave(topic, connection))
  }

  presence(topic: string, cursor: string | null, limit: number): Promise<MemberPage> {
    return this.#requests.add('presence', null, () => this.#server.presence(topic, cursor, limit))
  }

  control(message: ControlMessage, keepMs: number): Promise<void> {
    const copy: ControlMessage = JSON.parse(JSON.stringify(message))
    return this.#requests.add('control', 'control', () => this.#server.control(copy, keepMs))
  }

  nodes(): Promise<readonly NodeInfo[]> {
    return this.#requests.add('nodes', null, () => [...this.#server.nodes.values()])
  }

  lease(name: string, ttlMs: number): Promise<boolean> {
    return this.#requests.add('lease', `lease ${name}`, () => this.#server.lease(name, ttlMs, this.#id()))
  }

  release(name: string): Promise<void> {
    return this.#requests.add('release', `lease ${name}`, () => this.#server.release(name, this.#id()))
  }

  health(): void {
    if (this.#isCut) throw new UnavailableError('The broker cannot be reached')
  }

  onPublication(publication: Publication, position: Position | null): void {
    this.#subscriptions.get(streamKey(publication.audience))?.receive(publication, position)
    this.#options.changed()
  }

  onPresence(change: PresenceChange): void {
    if (this.#subscriptions.get(streamKey({ kind: 'topic', topic: change.topic }))?.isAnswered !== true) return
    this.#changes.push(change)
    this.#options.changed()
  }

  onControl(kept: KeptMessage): void {
    this.#seen.add(kept)
    this.#messages.push(kept.message)
    this.#options.changed()
  }

  /** Of the last publication of a stream that the node was given; null when it does not receive it. */
  delivered(stream: Stream): Position | null {
    const subscription = this.#subscriptions.get(streamKey(stream))
    return subscription?.isAnswered === true ? subscription.done : null
  }

  /** What can happen to this node now. */
  steps(): Step[] {
    const node = this.#node
    if (node === null) return []
    const steps = this.#requests.steps(this.#isCut)
    if (this.#isCut && this.#comesBack) steps.push({ what: 'restore', run: () => this.restore() })
    for (const [key, subscription] of this.#subscriptions) {
      if (subscription.hasNext)
        steps.push({ what: `deliver ${key}`, run: () => this.#attempt(() => subscription.deliver(node)) })
      if (subscription.isLeaving)
        steps.push({ what: `end ${key}`, run: () => subscription.isLeaving && this.#end(subscription) })
    }
    if (this.#changes.length > 0)
      steps.push({ what: 'presence', run: () => this.#attempt(() => take(this.#changes, (it) => node.presence(it))) })
    if (this.#messages.length > 0)
      steps.push({ what: 'control', run: () => this.#attempt(() => take(this.#messages, (it) => node.control(it))) })
    return steps
  }

  #connect(): void {
    const server = this.#server
    if (this.#node?.publishesOnly === true) return
    server.clients.add(this)
    if (this.#node !== null) server.nodes.set(this.#id(), this.#node.info)
    for (const { topic, member } of this.#joined.values()) server.join(topic, member, this.#id())
    for (const subscription of this.#subscriptions.values()) subscription.fill(server, this.#options.random)
    // At least once: those that it has seen may come again.
    for (const kept of server.keptNow())
      if (!this.#seen.has(kept) || this.#options.random(4) === 3) this.onControl(kept)
    this.#options.changed()
  }

  #end(subscription: Subscription): void {
    const key = streamKey(subscription.stream)
    if (this.#subscriptions.get(key) === subscription) this.#subscriptions.delete(key)
  }

  #attempt(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.errors.push(error)
    }
    this.#options.changed()
  }

  #id(): string {
    if (this.#node === null) throw new Error('The broker has not started, or has ended')
    return this.#node.info.id
  }
}

function take<T>(queue: T[], use: (item: T) => void): void {
  const item = queue.shift()
  if (item !== undefined) use(item)
}
