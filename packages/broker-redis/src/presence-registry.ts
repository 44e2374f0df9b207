import { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import type { Logger } from '@twinwire/core'
import type { Member, MemberPage } from '@twinwire/core/transport'
import { RedisError } from '@twinwire/redis'
import { inParallel } from './broker-options.ts'
import { type NodeKeys, type PresenceKeys, presenceKeys } from './keys.ts'
import { decodeCursor, encodeCursor, toMember } from './member-page.ts'
import type { RedisLink } from './redis-link.ts'
import { addTopicsScript, endLeaseScript, topicsScript } from './scripts/node-scripts.ts'
import {
  joinScript,
  leaseMembersScript,
  leaveScript,
  membersEpochScript,
  pageScript,
  removeMembersScript,
} from './scripts/presence-scripts.ts'

/** Members in one script: it holds up all others. */
const chunkSize = 200
const width = 16

type Link = Pick<RedisLink, 'run' | 'once' | 'publishCommand'>

/** Of one connection: it joins with this JSON, or leaves. */
interface Change {
  readonly text: string | null
  readonly waits: readonly Wait[]
}

interface Wait {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** The members of this node in one topic. */
interface OwnTopic {
  readonly keys: PresenceKeys
  /** Their JSON by connection. */
  readonly members: Map<string, string>
  /** What Redis is told next, by connection: the last change of each counts. */
  readonly changes: Map<string, Change>
  /** Of Redis, when they were registered: another one means that Redis does not have them. */
  epoch: string | null
  /** What runs for this topic, one after the other; how much of it has not ended. */
  last: Promise<unknown>
  turns: number
}

/** Registers the members of this node under its lease, and reads those of all. */
export class PresenceRegistry {
  readonly #link: Link
  readonly #prefix: string
  readonly #nodeKeys: NodeKeys
  readonly #log: Logger
  readonly #topics = new Map<string, OwnTopic>()
  /** Topics that are written down for the lease, so that another node finds them. */
  #noted = new Set<string>()
  #lease: string
  /** Topics whose members in Redis may differ from these. */
  readonly #doubtful = new Set<string>()
  #isRepairing = false
  #isClosed = false
  /** That of the boot: a command of several calls belongs to none of them. */
  readonly #context = new AsyncResource('RedisPresence')

  constructor(link: Link, prefix: string, keys: NodeKeys, lease: string, log: Logger) {
    this.#link = link
    this.#prefix = prefix
    this.#nodeKeys = keys
    this.#lease = lease
    this.#log = log
  }

  /** Those that join or leave while a command of the topic is on its way go together. */
  async join(topic: string, member: Member): Promise<void> {
    const own = this.#open(topic)
    const text = JSON.stringify(member)
    own.members.set(member.connection, text)
    await this.#change(topic, own, member.connection, text)
  }

  async leave(topic: string, { connection }: Member): Promise<void> {
    const own = this.#topics.get(topic)
    if (own === undefined) return
    own.members.delete(connection)
    await this.#change(topic, own, connection, null)
  }

  /** The members of leases that live. */
  async page(topic: string, cursor: string | null, limit: number, leases: readonly string[]): Promise<MemberPage> {
    const { members, order } = presenceKeys(this.#prefix, topic)
    const args = [decodeCursor(cursor), limit, ...leases]
    const reply = await this.#link.run('presence', pageScript, [members, order], args)
    const [last = '', ...found] = Array.isArray(reply) ? reply.map(String) : []
    return {
      members: found.flatMap((text) => toMember(text) ?? []),
      cursor: last === '' ? null : encodeCursor(last),
    }
  }

  /** The node has another lease: the members of the old one are removed by the node that finds it expired. */
  useLease(lease: string): void {
    this.#lease = lease
    this.#noted = new Set()
    this.doubtAll()
  }

  doubtAll(): void {
    for (const topic of this.#topics.keys()) this.#doubtful.add(topic)
  }

  /** Looks at every topic with members of this node: does Redis still have them? */
  async check(): Promise<void> {
    if (this.#noted.size > 0)
      await this.#link.run('presence', addTopicsScript, [this.#nodeKeys.topics(this.#lease)], [])
    await inParallel([...this.#topics], width, async ([topic, { keys, epoch, members }]) => {
      if (members.size === 0) return
      const found = await this.#link.once('presence', membersEpochScript, [keys.members, keys.order], [])
      if (epoch !== null && String(found) !== epoch) this.#doubtful.add(topic)
    })
  }

  /** Makes the members in Redis those of this node, where they may differ. */
  async repair(): Promise<void> {
    if (this.#isRepairing || this.#doubtful.size === 0) return
    this.#isRepairing = true
    try {
      await inParallel([...this.#doubtful], width, async (topic) => {
        if (this.#isClosed) return
        const own = this.#open(topic)
        this.#doubtful.delete(topic)
        await this.#inTurn(topic, own, async () => {
          try {
            await this.#replaceAll(topic, own)
          } catch (error) {
            // Before the turn ends: then the topic is forgotten if all is known of it.
            this.#doubtful.add(topic)
            throw error
          }
        })
      })
    } finally {
      this.#isRepairing = false
    }
  }

  /** Removes the members of a lease that has expired, and tells the nodes that they have left. */
  async removeLease(lease: string): Promise<void> {
    const { leases, infos, expired } = this.#nodeKeys
    const reply = await this.#link.run('presence', topicsScript, [this.#nodeKeys.topics(lease)], [])
    const topics = Array.isArray(reply) ? reply.map(String) : []
    await inParallel(topics, width, (topic) => this.#sweep(presenceKeys(this.#prefix, topic), lease, new Map()))
    await this.#link.run('presence', endLeaseScript, [leases, infos, expired, this.#nodeKeys.topics(lease)], [lease])
    if (topics.length > 0)
      this.#log.info({ lease, topics: topics.length }, 'Presence of a node that has ended is removed')
  }

  /** Ends the own lease. What waits is refused: it would be registered after that, and remain. */
  async close(): Promise<void> {
    this.#isClosed = true
    const error = new RedisError('not_connected', 'The broker is closed')
    for (const [topic, own] of this.#topics) this.#fail(topic, own, new Map(), error)
    await Promise.all([...this.#topics.values()].map(({ last }) => last))
    await this.removeLease(this.#lease)
  }

  #open(topic: string): OwnTopic {
    let own = this.#topics.get(topic)
    if (own === undefined) {
      const keys = presenceKeys(this.#prefix, topic)
      own = { keys, members: new Map(), changes: new Map(), epoch: null, last: Promise.resolve(), turns: 0 }
      this.#topics.set(topic, own)
    }
    return own
  }

  #close(topic: string, own: OwnTopic): void {
    const isUsed = own.turns > 0 || own.members.size > 0 || own.changes.size > 0 || this.#doubtful.has(topic)
    if (!isUsed && this.#topics.get(topic) === own) this.#topics.delete(topic)
  }

  #change(topic: string, own: OwnTopic, connection: string, text: string | null): Promise<void> {
    return new Promise((resolve, reject) => {
      if (own.changes.size === 0)
        this.#context.runInAsyncScope(() => void this.#inTurn(topic, own, () => this.#tell(topic, own)))
      const before = own.changes.get(connection)?.waits ?? []
      own.changes.set(connection, { text, waits: [...before, { resolve, reject }] })
    })
  }

  /** Never rejects. */
  async #tell(topic: string, own: OwnTopic): Promise<void> {
    const joins = new Map<string, Change>()
    const leaves = new Map<string, Change>()
    for (const [connection, change] of [...own.changes].slice(0, chunkSize)) {
      own.changes.delete(connection)
      if (change.text === null) leaves.set(connection, change)
      else joins.set(connection, change)
    }
    if (own.changes.size > 0) void this.#inTurn(topic, own, () => this.#tell(topic, own))
    const members = [...joins].map(([connection, { text }]) => [connection, text ?? ''] as const)
    // Leaves first: who watches identities sees one that has come back by another connection as there.
    const [left, joined] = await Promise.allSettled([
      this.#remove(own, [...leaves.keys()]),
      this.#register(topic, own, members, 'join'),
    ])
    if (joined.status === 'fulfilled') succeed(joins)
    else this.#fail(topic, own, joins, joined.reason)
    if (left.status === 'fulfilled') succeed(leaves)
    else this.#fail(topic, own, leaves, left.reason)
  }

  /** Those that join remain members, which are told again or leave: without them the repair would end those that Redis has from before. */
  #fail(topic: string, own: OwnTopic, changes: ReadonlyMap<string, Change>, error: unknown): void {
    // Some may have been taken all the same.
    this.#doubtful.add(topic)
    // What waits would fail too, one time limit after the other.
    const all = [...changes.values(), ...own.changes.values()]
    own.changes.clear()
    for (const { waits } of all) for (const wait of waits) wait.reject(error)
  }

  async #remove({ keys }: OwnTopic, connections: readonly string[]): Promise<void> {
    if (connections.length === 0) return
    const args = [keys.channel, this.#link.publishCommand, ...connections]
    await this.#link.run('presence', leaveScript, [keys.members, keys.order], args)
  }

  #inTurn(topic: string, own: OwnTopic, run: () => Promise<void>): Promise<void> {
    own.turns += 1
    const turn = own.last.then(run).finally(() => {
      own.turns -= 1
      this.#close(topic, own)
    })
    own.last = turn.catch(() => {})
    return turn
  }

  async #replaceAll(topic: string, own: OwnTopic): Promise<void> {
    await this.#sweep(own.keys, this.#lease, own.members)
    const members = [...own.members]
    for (let at = 0; at < members.length; at += chunkSize)
      await this.#register(topic, own, members.slice(at, at + chunkSize), 'renew')
  }

  async #register(
    topic: string,
    own: OwnTopic,
    members: readonly (readonly [string, string])[],
    kind: 'join' | 'renew',
  ): Promise<void> {
    if (members.length === 0) return
    const lease = this.#lease
    if (!this.#noted.has(topic)) {
      await this.#link.run('presence', addTopicsScript, [this.#nodeKeys.topics(lease)], [topic])
      if (lease === this.#lease) this.#noted.add(topic)
    }
    const reply = await this.#link.run(
      'presence',
      joinScript,
      [own.keys.members, own.keys.order],
      [`:${randomUUID()}`, lease, own.keys.channel, this.#link.publishCommand, kind, ...members.flat()],
    )
    const epoch = String(reply)
    if (own.epoch !== null && own.epoch !== epoch) this.#doubtful.add(topic)
    own.epoch = epoch
  }

  /** Removes the members of a lease, except those that stay. In parts: a script holds up all others. */
  async #sweep(
    { members, order, channel }: PresenceKeys,
    lease: string,
    stay: ReadonlyMap<string, string>,
  ): Promise<void> {
    const keys = [members, order]
    for (let from = '-'; from !== '('; ) {
      const reply = await this.#link.run('presence', leaseMembersScript, keys, [lease, from, chunkSize])
      const [last = '', ...found] = Array.isArray(reply) ? reply.map(String) : []
      const gone = found.filter((connection) => !stay.has(connection))
      const args = [lease, channel, this.#link.publishCommand, ...gone]
      if (gone.length > 0) await this.#link.run('presence', removeMembersScript, keys, args)
      from = `(${last}`
    }
  }
}

function succeed(changes: ReadonlyMap<string, Change>): void {
  for (const { waits } of changes.values()) for (const wait of waits) wait.resolve()
}
