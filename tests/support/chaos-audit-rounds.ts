import type { Random } from '../differential/random.ts'
import type { AuditChaosMode } from './chaos-audit-shared.ts'

/** What happens in a round, while calls are running. */
export interface AuditChaosRound {
  /** PostgreSQL is killed, or frozen, for a time. */
  readonly database: 'killed' | 'paused' | null
  readonly databaseDelayMs: number
  readonly awayMs: number
  /** It is not back before the server has ended. */
  readonly isAwayUntilEnd: boolean
  /** A server is killed, or stopped cleanly. */
  readonly server: 'killed' | 'stopped' | null
  /** Which one: that whose rows that do not fit in the queue are dropped, or that which spills them. */
  readonly mode: AuditChaosMode
  readonly serverDelayMs: number
}

const first = [
  { database: 'killed', server: null },
  { database: 'paused', server: null, awayMs: 2000 },
  { database: null, server: 'killed' },
  { database: null, server: 'stopped' },
  { database: 'killed', server: 'killed' },
  { database: 'paused', server: 'killed', mode: 'spill', isAwayUntilEnd: true },
  { database: 'killed', server: 'stopped', mode: 'spill', isAwayUntilEnd: true },
  { database: 'paused', server: 'stopped', mode: 'drop' },
] as const

/** First each thing alone, and each two of them together, in any order; then by chance, also nothing. */
export function planAuditRounds(random: Random, count: number): readonly AuditChaosRound[] {
  const left: Partial<AuditChaosRound>[] = [...first]
  return Array.from({ length: count }, () => {
    const [chosen] = left.splice(random.int(0, left.length - 1), 1)
    return {
      database: random.pick(['killed', 'paused', null]),
      databaseDelayMs: random.int(0, 150),
      // Also longer than a statement that writes rows may take: the servers do not know whether they are stored.
      awayMs: random.chance(0.25) ? random.int(1300, 3000) : random.int(0, 900),
      isAwayUntilEnd: random.chance(0.3),
      server: random.pick(['killed', 'stopped', null]),
      mode: random.pick(['drop', 'spill']),
      serverDelayMs: random.int(0, 800),
      ...chosen,
    }
  })
}
