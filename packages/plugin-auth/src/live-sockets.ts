import { type Connection, disconnects } from '@twinwire/core'
import type { Expiry, LiveSocket } from './expiry.ts'
import type { User } from './user.ts'

/** The authenticated connections of this process, by user and by session; added before they are in the hub. */
export class LiveSockets {
  readonly #expiry: Expiry
  readonly #byConnection = new Map<Connection, LiveSocket>()
  readonly #byUser = new Map<string, Set<LiveSocket>>()
  readonly #bySession = new Map<string, Set<LiveSocket>>()

  constructor(expiry: Expiry) {
    this.#expiry = expiry
  }

  get size(): number {
    return this.#byConnection.size
  }

  has(connection: Connection): boolean {
    return this.#byConnection.has(connection)
  }

  add(connection: Connection, user: User): void {
    const socket: LiveSocket = { connection, user, isWarned: false, nextSecond: 0 }
    this.#byConnection.set(connection, socket)
    put(this.#byUser, user.id, socket)
    if (user.sessionId !== null) put(this.#bySession, user.sessionId, socket)
    this.#expiry.watch(socket)
  }

  /** The same user with a new token, which may be of another session. */
  renew(connection: Connection, user: User): void {
    const socket = this.#byConnection.get(connection)
    if (socket === undefined) return
    const before = socket.user.sessionId
    if (before !== user.sessionId) {
      if (before !== null) take(this.#bySession, before, socket)
      if (user.sessionId !== null) put(this.#bySession, user.sessionId, socket)
    }
    socket.user = user
    this.#expiry.watch(socket)
  }

  remove(connection: Connection): void {
    const socket = this.#byConnection.get(connection)
    if (socket === undefined) return
    this.#byConnection.delete(connection)
    take(this.#byUser, socket.user.id, socket)
    if (socket.user.sessionId !== null) take(this.#bySession, socket.user.sessionId, socket)
    this.#expiry.forget(socket)
  }

  ofUser(userId: string): readonly User[] {
    return [...(this.#byUser.get(userId) ?? [])].map(({ user }) => user)
  }

  /** Closes the connections of a session, of a user, or all, for which `isRevoked` is true. Returns their number. */
  close(
    where: { readonly sessionId: string } | { readonly userId: string } | 'all',
    isRevoked: (user: User) => boolean,
  ): number {
    const sockets =
      where === 'all'
        ? this.#byConnection.values()
        : 'userId' in where
          ? this.#byUser.get(where.userId)
          : this.#bySession.get(where.sessionId)
    let closed = 0
    for (const { connection, user } of [...(sockets ?? [])]) {
      if (!isRevoked(user)) continue
      closed++
      connection.close(disconnects.sessionRevoked)
    }
    return closed
  }
}

function put(sets: Map<string, Set<LiveSocket>>, key: string, socket: LiveSocket): void {
  const set = sets.get(key)
  if (set === undefined) sets.set(key, new Set([socket]))
  else set.add(socket)
}

function take(sets: Map<string, Set<LiveSocket>>, key: string, socket: LiveSocket): void {
  const set = sets.get(key)
  if (set?.delete(socket) && set.size === 0) sets.delete(key)
}
