import { createHash } from 'node:crypto'
import type { Stream } from '@twinwire/core/transport'
import { streamTag } from './stream-tag.ts'

/** The keys of a stream, and the channel on which it is published. All are in one hash slot of a cluster. */
export interface StreamKeys {
  /** Hash: epoch, offset, identity of the server, and whether a node has joined it. */
  readonly meta: string
  /** Stream of Redis: its ids are `<offset>-0`. */
  readonly history: string
  readonly channel: string
  /** Last batch of one process. */
  producer(processId: string): string
  /** A publication with a key of its own. */
  publication(key: string): string
}

export function streamKeys(prefix: string, stream: Stream): StreamKeys {
  const base = `${prefix}stream:${streamTag(stream)}:`
  return {
    meta: `${base}meta`,
    history: `${base}history`,
    channel: `${base}channel`,
    producer: (processId) => `${base}from:${processId}`,
    publication: (key) => `${base}key:${key.length > 64 ? createHash('sha256').update(key).digest('base64url') : key}`,
  }
}

/** Presence of a topic: in the hash slot of its stream. */
export interface PresenceKeys {
  /** Hash: `c<connection>` is the lease and the member, `e` names the server that has them. */
  readonly members: string
  /** Sorted set without scores: the connections, in the order of pages. */
  readonly order: string
  readonly channel: string
}

export function presenceKeys(prefix: string, topic: string): PresenceKeys {
  const stream: Stream = { kind: 'topic', topic }
  const base = `${prefix}stream:${streamTag(stream)}:`
  return { members: `${base}members`, order: `${base}order`, channel: `${base}channel` }
}

/** What all nodes share: leases and control messages, in one hash slot. */
export interface NodeKeys {
  /** Hash: identity of the server, and the epoch of what is kept. */
  readonly meta: string
  /** Sorted set: leases by the time at which they expire. */
  readonly leases: string
  /** Hash: a description of the node of each lease. */
  readonly infos: string
  /** Sorted set: leases that have expired and whose members have to be removed, by the time from which a node may take one on. */
  readonly expired: string
  /** Stream of Redis: control messages that are kept. */
  readonly kept: string
  /** Hash: id of a control message to its place in `kept`. */
  readonly keptIds: string
  /** Sorted set: ids of control messages by the time until which they are kept. */
  readonly keptUntil: string
  /** Which node holds a lease of this name. */
  held(name: string): string
  /** Channel of control messages. */
  readonly control: string
  /** Channel on which a node writes to itself. */
  probe(nodeId: string): string
  /** Set: topics in which a lease has, or had, members. */
  topics(lease: string): string
}

export function nodeKeys(prefix: string): NodeKeys {
  const base = `${prefix}{nodes}:`
  return {
    meta: `${base}meta`,
    leases: `${base}leases`,
    infos: `${base}infos`,
    expired: `${base}expired`,
    kept: `${base}kept`,
    keptIds: `${base}kept-ids`,
    keptUntil: `${base}kept-until`,
    held: (name) => `${base}held:${name}`,
    control: `${base}control`,
    probe: (nodeId) => `${base}probe:${nodeId}`,
    topics: (lease) => `${base}topics:${lease}`,
  }
}
