import { AppError, type Clock, type Connection, Disconnect, disconnects } from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import { toAddressKey } from './address-key.ts'
import { type Background, isPromise, type Limiter } from './limiter.ts'
import type { Lease, MaybePromise, Seat } from './store.ts'

export interface ConnectionLimitOptions {
  /** Open connections of one identity, over all processes. Default 5; false for any number. */
  readonly perIdentity?: number | false | undefined
  /** Of one address, for IPv6 of its /64. Default 100; false for any number. */
  readonly perAddress?: number | false | undefined
  /** After that time the connections of a process that has crashed no longer count. A third of it is the heartbeat. Default 15,000. */
  readonly leaseMs?: number | undefined
}

/** Leases that are renewed by one question to the store. */
const renewedAtOnce = 500

interface Held {
  readonly lease: Lease
  /** The store has not answered yet. */
  pending: boolean
  /** The connection has closed. */
  gone: boolean
}

/** Lets no more connections in than there are seats, and keeps their leases as long as they are open. */
export class ConnectionLimits {
  readonly #limiter: Limiter
  readonly #options: { readonly [K in 'perIdentity' | 'perAddress']: number | false } & { readonly leaseMs: number }
  readonly #background: Background
  readonly #held = new Map<string, Held>()
  #timer: Timer | null = null
  #closed = false

  constructor(
    limiter: Limiter,
    options: { readonly perIdentity: number | false; readonly perAddress: number | false; readonly leaseMs: number },
    background: Background,
  ) {
    this.#limiter = limiter
    this.#options = options
    this.#background = background
  }

  /** Throws a Disconnect when all seats are taken. */
  connect(connection: Connection): MaybePromise<void> {
    const seats = this.#seatsOf(connection)
    if (seats.length === 0) return
    const held: Held = { lease: { id: connection.id, seats }, pending: true, gone: false }
    this.#held.set(connection.id, held)
    try {
      const refused = this.#limiter.acquire(held.lease, this.#options.leaseMs)
      if (!isPromise(refused)) return this.#answered(held, refused)
      return refused.then(
        (later) => this.#answered(held, later),
        (error) => this.#failed(held, error),
      )
    } catch (error) {
      this.#failed(held, error)
    }
  }

  disconnect(connectionId: string): void {
    const held = this.#held.get(connectionId)
    if (held === undefined) return
    this.#held.delete(connectionId)
    held.gone = true
    // What is under way is given back when it has come.
    if (!held.pending) this.#background(this.#limiter.release(held.lease))
  }

  /** Begins to renew leases, for a store that forgets them otherwise. */
  keepAlive(clock: Clock): void {
    const beat = (): void => {
      this.#timer = clock.timer(this.#options.leaseMs / 3, () => {
        this.#background(
          // One that fails is no reason to let the leases run out.
          this.#renew().finally(() => {
            if (!this.#closed) beat()
          }),
        )
      })
    }
    beat()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #renew(): Promise<void> {
    const leases = [...this.#held.values()].filter(({ pending }) => !pending).map(({ lease }) => lease)
    for (let i = 0; i < leases.length; i += renewedAtOnce) {
      // One that has closed meanwhile must not come to life again.
      const open = leases.slice(i, i + renewedAtOnce).filter(({ id }) => this.#held.has(id))
      if (open.length > 0) await this.#limiter.renew(open, this.#options.leaseMs)
    }
  }

  #seatsOf({ identity, address }: Connection): readonly Seat[] {
    const { perIdentity, perAddress } = this.#options
    const seats: Seat[] = []
    if (perIdentity !== false && identity !== null)
      seats.push({ scope: 'identity', key: identity.id, max: perIdentity })
    if (perAddress !== false) seats.push({ scope: 'address', key: toAddressKey(address), max: perAddress })
    return seats
  }

  #answered(held: Held, refused: Seat | null): void {
    held.pending = false
    if (refused === null) {
      if (held.gone) this.#background(this.#limiter.release(held.lease))
      return
    }
    this.#held.delete(held.lease.id)
    throw new Disconnect(disconnects.tooManyConnections)
  }

  /** The store is away and says `deny`: what closes the connection is not the caller's fault. */
  #failed(held: Held, error: unknown): never {
    this.#held.delete(held.lease.id)
    throw AppError.is(error) ? new Disconnect(disconnects.internalError, { cause: error }) : error
  }
}
