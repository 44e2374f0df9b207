import { Instruments, systemClock } from '@twinwire/core/plugin'
import { createTestLogger, type LogLine } from '@twinwire/core/testing'
import { type Charge, type LimitStore, type RedisStoreOptions, type Rule, redisStore } from '@twinwire/plugin-ratelimit'

/** A store as an application opens it. */
export interface OpenStore extends LimitStore {
  readonly logs: readonly LogLine[]
  /** The values of an instrument by the values of its labels, joined with spaces. */
  values(name: string): Readonly<Record<string, number>>
}

export async function openRedisStore(options: RedisStoreOptions): Promise<OpenStore> {
  const log = createTestLogger()
  const instruments = new Instruments()
  const store = await redisStore(options).open({ clock: systemClock, log, instruments, environment: 'test' })
  return {
    ...store,
    logs: log.lines,
    values(name) {
      const cells = instruments.families().find((family) => family.name === name)?.cells ?? []
      return Object.fromEntries(
        cells.map(({ labels, cell }) => [Object.values(labels).join(' '), 'value' in cell ? cell.value : cell.count]),
      )
    },
  }
}

/** A rule with its derived values. */
export function toRule(options: Pick<Rule, 'points' | 'periodMs'> & Partial<Rule>): Rule {
  const { points, periodMs, burst = 0 } = options
  const capacity = points + burst
  const intervalUs = Math.floor((periodMs * 1000) / points)
  return { name: 'default', scope: 'identity', burst, capacity, intervalUs, spanUs: capacity * intervalUs, ...options }
}

export function toCharge(rule: Rule, key: string, cost = 1): Charge {
  return { rule, key, cost }
}
