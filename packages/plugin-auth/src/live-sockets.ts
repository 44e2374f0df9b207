import { type Connection, disconnects } from '@twinwire/core'
import type { Expiry, LiveSocket } from './expiry.ts'
import type { User } from './user.ts'

/** Connections of this process with a user, by user and by session: from the first moment, before the hub has them. */
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
    const socket: LiveSocket = { connection, user, isWarned: false, dueSecond: 0 }
    this.#byConnection.set(connection, socket)
    put(this.#byUser, user.id, socket)
    if (user.sessionId !== null) put(this.#bySession, user.sessionId, socket)
    this.#expiry.watch(socket)
  }

  /** The same user with another token, perhaps of another session. */
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

  /** Ends the connections of a session, of a user, or all, whose user's time is over. How many those were. */
  end(
    where: { readonly sessionId: string } | { readonly userId: string } | 'all',
    isOver: (user: User) => boolean,
  ): number {
    const sockets =
      where === 'all'
        ? this.#byConnection.values()
        : 'userId' in where
          ? this.#byUser.get(where.userId)
          : this.#bySession.get(where.sessionId)
    let ended = 0
    for (const { connection, user } of [...(sockets ?? [])]) {
      if (!isOver(user)) continue
      ended++
      connection.close(disconnects.sessionRevoked)
    }
    return ended
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
