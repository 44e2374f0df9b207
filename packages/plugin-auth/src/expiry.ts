import { type Clock, type Connection, disconnects } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import type { User } from './user.ts'

/** A connection with its current user, and the second of its next action. */
export interface LiveSocket {
  readonly connection: Connection
  user: User
  isWarned: boolean
  nextSecond: number
}

interface ExpiryOptions {
  readonly clock: Clock
  /** How long before its token expires a connection is warned; 0: never. */
  readonly warningMs: number
  /** How long after the expiry a connection is closed. */
  readonly graceMs: number
}

/** Maximum delay of the timer: the system time may be changed meanwhile. */
const maxSleepMs = 60_000

/**
 * Warns connections before their token expires, and closes those that do not renew it. Times of tokens are seconds: connections are grouped
 * by the second of their next action, and one timer serves all.
 */
export class Expiry {
  readonly #options: ExpiryOptions
  readonly #bySecond = new Map<number, Set<LiveSocket>>()
  #timer: Timer | null = null
  #armedFor = Number.POSITIVE_INFINITY

  constructor(options: ExpiryOptions) {
    this.#options = options
  }

  /** Also after a renewal. */
  watch(socket: LiveSocket): void {
    this.forget(socket)
    const { clock, warningMs } = this.#options
    const now = clock.now()
    const leftMs = socket.user.expiresAt - now
    socket.isWarned = warningMs === 0 || leftMs <= 0
    // For a token that lives shorter than the warning time, the warning is sent when half of the rest has passed.
    if (socket.isWarned) this.#planEnd(socket)
    else this.#plan(socket, now + Math.max(leftMs - warningMs, leftMs / 2))
  }

  forget(socket: LiveSocket): void {
    const sockets = this.#bySecond.get(socket.nextSecond)
    if (sockets?.delete(socket) && sockets.size === 0) this.#bySecond.delete(socket.nextSecond)
    if (this.#bySecond.size === 0) this.#disarm()
  }

  close(): void {
    this.#bySecond.clear()
    this.#disarm()
  }

  #planEnd(socket: LiveSocket): void {
    this.#plan(socket, socket.user.expiresAt + this.#options.graceMs)
  }

  #plan(socket: LiveSocket, atMs: number): void {
    const second = Math.ceil(atMs / 1000)
    socket.nextSecond = second
    const sockets = this.#bySecond.get(second)
    if (sockets === undefined) this.#bySecond.set(second, new Set([socket]))
    else sockets.add(socket)
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
    // Without auth_ok, which contains the same time, the handshake is still pending in other plugins.
    if (connection.admitted) connection.sendControl({ type: 'auth_expiring', expires_at: user.expiresAt / 1000 })
  }
}
