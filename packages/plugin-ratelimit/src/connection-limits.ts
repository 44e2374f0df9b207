import {
  AppError,
  type Clock,
  type Connection,
  Disconnect,
  disconnects,
  type MaybePromise,
  RateLimitError,
} from '@twinwire/core'
import type { Timer } from '@twinwire/core/plugin'
import { toAddressKey } from './address-key.ts'
import { type Background, isPromise, type Limiter } from './limiter.ts'
import type { ConnectionSlot, Lease } from './store.ts'

export interface ConnectionLimitOptions {
  /** Open connections of one identity, over all processes. Default 5; false for no limit. */
  readonly perIdentity?: number | false | undefined
  /** Open connections of one address; an IPv6 address counts as its /64. Default 100; false for no limit. */
  readonly perAddress?: number | false | undefined
  /** Milliseconds after which the connections of a crashed process no longer count, from 1,000 to 3,600,000. Renewed every third of it. Default 15,000. */
  readonly leaseMs?: number | undefined
}

/** Leases in one `renew` of the store. */
const renewBatchSize = 500

interface HeldLease {
  readonly lease: Lease
  readonly wire: Connection['wire']
  /** `acquire` has not returned yet. */
  pending: boolean
  disconnected: boolean
}

/** Refuses connections when no slot is free, and renews the leases of those that are open. */
export class ConnectionLimits {
  readonly #limiter: Limiter
  readonly #options: { readonly [K in 'perIdentity' | 'perAddress']: number | false } & { readonly leaseMs: number }
  readonly #background: Background
  readonly #held = new Map<string, HeldLease>()
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

  /** Throws a Disconnect when no slot is free; for a client of server-sent events, which can read a response, a RateLimitError. */
  connect(connection: Connection): MaybePromise<void> {
    const slots = this.#slotsOf(connection)
    if (slots.length === 0) return
    const { id, wire } = connection
    const held: HeldLease = { lease: { id, slots }, wire, pending: true, disconnected: false }
    this.#held.set(id, held)
    try {
      const full = this.#limiter.acquire(held.lease, this.#options.leaseMs)
      if (!isPromise(full)) return this.#acquired(held, full)
      return full.then(
        (later) => this.#acquired(held, later),
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
    held.disconnected = true
    // A pending lease is released when it was acquired.
    if (!held.pending) this.#background(this.#limiter.release(held.lease))
  }

  /** Starts to renew leases, for a store in which they expire. */
  keepAlive(clock: Clock): void {
    const scheduleRenewal = (): void => {
      this.#timer = clock.timer(this.#options.leaseMs / 3, () => {
        this.#background(
          // After a failure, too: otherwise all leases would expire.
          this.#renew().finally(() => {
            if (!this.#closed) scheduleRenewal()
          }),
        )
      })
    }
    scheduleRenewal()
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #renew(): Promise<void> {
    const leases = [...this.#held.values()].filter(({ pending }) => !pending).map(({ lease }) => lease)
    for (let i = 0; i < leases.length; i += renewBatchSize) {
      // The store adds unknown leases, so one that was released meanwhile must not be sent.
      const open = leases.slice(i, i + renewBatchSize).filter(({ id }) => this.#held.has(id))
      if (open.length > 0) await this.#limiter.renew(open, this.#options.leaseMs)
    }
  }

  #slotsOf({ identity, address }: Connection): readonly ConnectionSlot[] {
    const { perIdentity, perAddress } = this.#options
    const slots: ConnectionSlot[] = []
    if (perIdentity !== false && identity !== null)
      slots.push({ scope: 'identity', key: identity.id, max: perIdentity })
    if (perAddress !== false) slots.push({ scope: 'address', key: toAddressKey(address), max: perAddress })
    return slots
  }

  #acquired(held: HeldLease, full: ConnectionSlot | null): void {
    held.pending = false
    if (full === null) {
      if (held.disconnected) this.#background(this.#limiter.release(held.lease))
      return
    }
    this.#held.delete(held.lease.id)
    if (held.wire === 'http') throw toError(full, this.#options.leaseMs)
    throw new Disconnect(disconnects.tooManyConnections)
  }

  /** The store is unreachable and `onStoreError` is `deny`: the connection is closed for a fault of the server. */
  #failed(held: HeldLease, error: unknown): never {
    this.#held.delete(held.lease.id)
    if (held.wire === 'http') throw error
    throw AppError.is(error) ? new Disconnect(disconnects.internalError, { cause: error }) : error
  }
}

/** When a slot is free is not known: after a lease at the latest those of a crashed process are. */
function toError({ scope, max }: ConnectionSlot, leaseMs: number): RateLimitError {
  const seconds = Math.ceil(leaseMs / 1000)
  const name = `"connections.${scope}"`
  const headers = {
    ratelimit: `${name};r=0;t=${seconds}`,
    'ratelimit-policy': `${name};q=${max}`,
    'x-ratelimit-limit': String(max),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(seconds),
  }
  return new RateLimitError({ retryAfterMs: leaseMs, limit: max, remaining: 0 }, { headers })
}
