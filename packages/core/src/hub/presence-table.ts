import type { Clock, Timer } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import { isPromise, type MaybePromise } from '../base/maybe-promise.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { Broker, Member, MemberPage, PresenceChange } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { type EntryOwner, PresenceEntry } from './presence-entry.ts'

/** What a topic's rule says about presence. */
export interface PresenceRule {
  readonly presence: boolean
  /** JSON for the others; undefined or null for nothing. */
  memberInfo(connection: HubConnection, topic: string): unknown
}

interface TableOptions {
  readonly broker: Pick<Broker, 'join' | 'leave' | 'presence'>
  readonly clock: Clock
  readonly log: Logger
  /** Null for a topic without a rule. */
  readonly ruleOf: (topic: string) => PresenceRule | null
}

export const maxInfoBytes = 4096
const firstDelayMs = 250
const maxDelayMs = 5000
/** While the app closes. */
const closingDelayMs = 100

/**
 * The connections of this node that are joined to topics with presence, and those that want to know who joins and leaves. Memberships never wait
 * for the broker: what it does not take is told again until it does.
 */
export class PresenceTable {
  readonly #options: TableOptions
  readonly #owner: EntryOwner
  readonly #entries = new Map<string, Map<number, PresenceEntry>>()
  readonly #watchers = new Map<string, Map<number, HubConnection>>()
  readonly #failed = new Set<PresenceEntry>()
  /** Entries of which the broker does not have what is wanted. */
  readonly #unsettled = new Set<PresenceEntry>()
  /** Topics of which the broker is being told; resolves when it has answered all that it was told until then. */
  readonly #telling = new Map<string, Promise<void>>()
  #timer: Timer | null = null
  #delayMs = firstDelayMs
  #state: 'open' | 'closing' | 'closed' = 'open'
  #onSettled: (() => void) | null = null

  constructor(options: TableOptions) {
    this.#options = options
    this.#owner = {
      broker: options.broker,
      settled: (entry) => this.#settled(entry),
      failed: (entry, error) => this.#entryFailed(entry, error),
    }
  }

  /** Number of connections of this node that are joined to topics with presence, counted for each topic. */
  get size(): number {
    let size = 0
    for (const entries of this.#entries.values()) size += entries.size
    return size
  }

  /** It has become a member of `topic`. */
  joined(connection: HubConnection, topic: string): void {
    const rule = this.#options.ruleOf(topic)
    if (rule?.presence !== true || this.#state === 'closed') return
    const member = this.#toMember(rule, connection, topic)
    this.#want(this.#find(topic, connection.serial) ?? this.#add(topic, connection.serial), member)
  }

  /** It is not a member any more. */
  left(connection: HubConnection, topic: string): void {
    this.unwatch(connection, topic)
    const entry = this.#find(topic, connection.serial)
    if (entry !== undefined && entry.member !== null) this.#want(entry, null)
  }

  /** Its identity was renewed: what its topics say about it may have changed. */
  renewed(connection: HubConnection): void {
    if (this.#entries.size === 0) return
    for (const topic of connection.topics) {
      const entry = this.#find(topic, connection.serial)
      const rule = this.#options.ruleOf(topic)
      if (entry === undefined || entry.member === null || rule === null) continue
      this.#want(entry, this.#toMember(rule, connection, topic))
    }
  }

  /** It is not informed any more. */
  unwatch({ serial }: HubConnection, topic: string): void {
    const watchers = this.#watchers.get(topic)
    if (watchers?.delete(serial) && watchers.size === 0) this.#watchers.delete(topic)
  }

  /** From now on it is informed of joins and leaves, until it leaves. */
  watch(connection: HubConnection, topic: string): void {
    const watchers = this.#watchers.get(topic)
    if (watchers === undefined) this.#watchers.set(topic, new Map([[connection.serial, connection]]))
    else watchers.set(connection.serial, connection)
  }

  /**
   * Who is joined to `topic` on all nodes. `cursor`: of the page before; null for the first, which has every connection of this node that has joined
   * until now, unless the broker does not take it.
   */
  page(topic: string, cursor: string | null, limit: number): MaybePromise<MemberPage> {
    const read = (): MaybePromise<MemberPage> => this.#options.broker.presence(topic, cursor, limit)
    const telling = cursor === null ? this.#telling.get(topic) : undefined
    return telling === undefined ? read() : telling.then(read)
  }

  /** Of any node. */
  changed({ topic, kind, member }: PresenceChange): void {
    const watchers = this.#watchers.get(topic)
    if (watchers === undefined) return
    const { connection: id, identity, info } = member
    const frame = Buffer.from(JSON.stringify({ type: kind, topic, member: { connection: id, identity, info } }))
    const slow: HubConnection[] = []
    for (const watcher of watchers.values()) if (watcher.id !== id && !watcher.deliver(frame, false)) slow.push(watcher)
    for (const connection of slow) connection.end(disconnects.tooSlow)
  }

  /** Resolves when the broker has everything. */
  async flush(): Promise<void> {
    this.#state = 'closing'
    if (this.#unsettled.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onSettled = resolve
      this.#retry()
    })
  }

  close(): void {
    this.#state = 'closed'
    this.#timer?.cancel()
    this.#failed.clear()
    this.#unsettled.clear()
    this.#telling.clear()
    this.#entries.clear()
    this.#watchers.clear()
  }

  #find(topic: string, serial: number): PresenceEntry | undefined {
    return this.#entries.get(topic)?.get(serial)
  }

  #add(topic: string, serial: number): PresenceEntry {
    const entry = new PresenceEntry(topic, serial, this.#owner)
    const entries = this.#entries.get(topic)
    if (entries === undefined) this.#entries.set(topic, new Map([[serial, entry]]))
    else entries.set(serial, entry)
    return entry
  }

  /** Does nothing for a member of which the others know all already. */
  #want(entry: PresenceEntry, member: Member | null): void {
    if (member !== null && JSON.stringify(member) === JSON.stringify(entry.member)) return
    this.#unsettled.add(entry)
    this.#follow(entry, entry.want(member))
  }

  #follow({ topic }: PresenceEntry, telling: MaybePromise<void>): void {
    if (!isPromise(telling)) return
    const before = this.#telling.get(topic)
    const all = before === undefined ? telling : before.then(() => telling)
    this.#telling.set(topic, all)
    void all.then(() => {
      if (this.#telling.get(topic) === all) this.#telling.delete(topic)
    })
  }

  #settled(entry: PresenceEntry): void {
    this.#unsettled.delete(entry)
    if (this.#failed.delete(entry) && this.#failed.size === 0) {
      this.#delayMs = firstDelayMs
      this.#options.log.info('The broker knows again who is joined to topics with presence')
    }
    if (entry.member === null) {
      const entries = this.#entries.get(entry.topic)
      if (entries?.delete(entry.serial) && entries.size === 0) this.#entries.delete(entry.topic)
    }
    if (this.#unsettled.size === 0) this.#onSettled?.()
  }

  #entryFailed(entry: PresenceEntry, error: unknown): void {
    if (this.#state === 'closed') return
    if (this.#failed.size === 0)
      this.#options.log.error(
        { err: error, topic: entry.topic },
        'The broker does not take who joins and leaves topics with presence: it is told again until it does',
      )
    this.#failed.add(entry)
    if (this.#timer !== null) return
    const delayMs = this.#state === 'closing' ? closingDelayMs : this.#delayMs
    this.#delayMs = Math.min(this.#delayMs * 2, maxDelayMs)
    this.#timer = this.#options.clock.timer(delayMs, () => this.#retry())
  }

  #retry(): void {
    this.#timer?.cancel()
    this.#timer = null
    for (const entry of [...this.#failed]) this.#follow(entry, entry.reconcile())
  }

  #toMember(rule: PresenceRule, connection: HubConnection, topic: string): Member {
    const { id, identity } = connection
    return { connection: id, identity: identity?.id ?? null, info: this.#info(rule, connection, topic) }
  }

  /** A copy: what the rule does with it later changes nothing. */
  #info(rule: PresenceRule, connection: HubConnection, topic: string): unknown {
    const { log } = this.#options
    try {
      const text = JSON.stringify(rule.memberInfo(connection, topic) ?? null)
      if (text === undefined)
        log.error({ topic }, 'What the presence function of a topic returned is not JSON: null is used')
      else if (Buffer.byteLength(text) > maxInfoBytes)
        log.error(
          { topic, bytes: Buffer.byteLength(text) },
          `What the presence function of a topic returned has more than ${maxInfoBytes} bytes: null is used`,
        )
      else return JSON.parse(text)
    } catch (error) {
      log.error({ err: error, topic }, 'The presence function of a topic failed: null is used')
    }
    return null
  }
}
