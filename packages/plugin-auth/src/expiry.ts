import { type Clock, type Connection, disconnects } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { User } from './user.ts'

/** A connection with the user it has now, and when something is due for it. */
export interface LiveSocket {
  readonly connection: Connection
  user: User
  isWarned: boolean
  dueSecond: number
}

interface ExpiryOptions {
  readonly clock: Clock
  /** How long before its token expires a connection is told; 0: never. */
  readonly warningMs: number
  /** How long after it the connection is closed. */
  readonly graceMs: number
}

/** Longest sleep: the machine's time may be set meanwhile. */
const maxSleepMs = 60_000

/**
 * Tells connections that their token expires, and ends those that did not renew it. Expiry is a matter of seconds: connections are kept
 * by the second in which something is due, and one timer serves them all.
 */
export class Expiry {
  readonly #options: ExpiryOptions
  readonly #bySecond = new Map<number, Set<LiveSocket>>()
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY

  constructor(options: ExpiryOptions) {
    this.#options = options
  }

  /** From now on, or anew after a renewal. */
  watch(socket: LiveSocket): void {
    this.forget(socket)
    const { clock, warningMs } = this.#options
    const now = clock.now()
    const leftMs = socket.user.expiresAt - now
    socket.isWarned = warningMs === 0 || leftMs <= 0
    // A token that lives shorter than the warning is announced when half of what is left has passed.
    if (socket.isWarned) this.#planEnd(socket)
    else this.#plan(socket, now + Math.max(leftMs - warningMs, leftMs / 2))
  }

  forget(socket: LiveSocket): void {
    const due = this.#bySecond.get(socket.dueSecond)
    if (due?.delete(socket) && due.size === 0) this.#bySecond.delete(socket.dueSecond)
    if (this.#bySecond.size === 0) this.#disarm()
  }

  close(): void {
    this.#bySecond.clear()
    this.#disarm()
  }

  #planEnd(socket: LiveSocket): void {
    this.#plan(socket, socket.user.expiresAt + this.#options.graceMs)
  }

  #plan(socket: LiveSocket, dueMs: number): void {
    const second = Math.ceil(dueMs / 1000)
    socket.dueSecond = second
    const due = this.#bySecond.get(second)
    if (due === undefined) this.#bySecond.set(second, new Set([socket]))
    else due.add(socket)
    if (second < this.#armedFor) this.#arm(second)
  }

  #arm(second: number): void {
    const { clock } = this.#options
    this.#timer?.cancel()
    this.#armedFor = second
    const delayMs = Math.min(Math.max(second * 1000 - clock.now(), 0), maxSleepMs)
    this.#timer = clock.timer(delayMs, () => this.#wake())
  }

  #disarm(): void {
    this.#timer?.cancel()
    this.#timer = null
    this.#armedFor = Number.POSITIVE_INFINITY
  }

  #wake(): void {
    this.#disarm()
    const nowSecond = this.#options.clock.now() / 1000
    for (const [second, sockets] of [...this.#bySecond]) {
      if (second > nowSecond) continue
      this.#bySecond.delete(second)
      for (const socket of sockets) this.#act(socket)
    }
    let next = Number.POSITIVE_INFINITY
    for (const second of this.#bySecond.keys()) next = Math.min(next, second)
    if (next < Number.POSITIVE_INFINITY) this.#arm(next)
  }

  #act(socket: LiveSocket): void {
    const { connection, user } = socket
    if (socket.isWarned) return connection.close(disconnects.tokenExpired)
    socket.isWarned = true
    this.#planEnd(socket)
    // One that other plugins are still letting in has not had its auth_ok, which says the same.
    if (connection.admitted) connection.sendControl({ type: 'auth_expiring', expires_at: user.expiresAt / 1000 })
  }
}
