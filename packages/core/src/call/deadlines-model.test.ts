import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import { type Deadline, Deadlines } from './deadlines.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

const lengths = [5, 20, 100]

type Command =
  | { readonly kind: 'arm'; readonly length: number; readonly lateMs: number }
  | { readonly kind: 'disarm'; readonly which: number }
  | { readonly kind: 'advance'; readonly ms: number }

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('arm' as const),
      length: fc.constantFrom(...lengths),
      lateMs: fc.constantFrom(0, 0, 0, 1, 3, 30),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('disarm' as const), which: fc.nat({ max: 40 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('advance' as const), ms: fc.nat({ max: 40 }) }) },
)

/** What each should do on its own, without lists. */
interface Model {
  readonly deadline: Deadline
  /** Not before. */
  readonly dueMs: number
  /**
   * Not after. The same, except for one that is armed late: it is due with the latest one of its length, and a millisecond from now
   * at the earliest.
   */
  readonly latestMs: number
  expiredAt: number | null
  disarmed: boolean
}

describe('deadlines', () => {
  it('expire when they are due, unless they are disarmed, and leave no timer behind', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
        const clock = createVirtualClock(0)
        const deadlines = new Deadlines(clock)
        const latestOf = new Map(lengths.map((length) => [length, 0]))
        const all: Model[] = []
        for (const each of commands) {
          const now = clock.monotonic()
          if (each.kind === 'arm') {
            const dueMs = now - each.lateMs + each.length
            const latestMs = Math.max(dueMs, each.lateMs === 0 ? 0 : now + 1, latestOf.get(each.length) ?? 0)
            latestOf.set(each.length, latestMs)
            const target = {
              expire: () => {
                expect(model.expiredAt).toBeNull()
                model.expiredAt = clock.monotonic()
              },
            }
            const deadline = deadlines.arm(target, now - each.lateMs, each.length)
            const model: Model = { deadline, dueMs, latestMs, expiredAt: null, disarmed: false }
            all.push(model)
          } else if (each.kind === 'disarm') {
            const model = all[each.which]
            if (model === undefined) continue
            deadlines.disarm(model.deadline)
            if (model.expiredAt === null) model.disarmed = true
          } else {
            await clock.advance(each.ms)
            for (const { dueMs, latestMs, expiredAt, disarmed } of all) {
              if (disarmed) expect(expiredAt).toBeNull()
              else if (expiredAt === null) expect(latestMs).toBeGreaterThan(clock.monotonic())
              else expect(expiredAt).toSatisfy((at) => at >= dueMs && at <= latestMs)
            }
          }
          expect(clock.pendingTimers).toBeLessThanOrEqual(lengths.length)
        }
        deadlines.close()
        expect(clock.pendingTimers).toBe(0)
        const expired = all.map(({ expiredAt }) => expiredAt)
        await clock.advance(1000)
        expect(all.map(({ expiredAt }) => expiredAt)).toEqual(expired)
      }),
      { numRuns: 1000 },
    )
  })

  it('of one length expire in the order in which they were armed, at their moment', async () => {
    const clock = createVirtualClock(0)
    const deadlines = new Deadlines(clock)
    const log: string[] = []
    const arm = (name: string, length: number) =>
      deadlines.arm({ expire: () => void log.push(`${name}@${clock.monotonic()}`) }, clock.monotonic(), length)
    arm('a', 10)
    await clock.advance(4)
    arm('b', 10)
    arm('short', 3)
    const gone = arm('gone', 10)
    arm('c', 10)
    deadlines.disarm(gone)
    deadlines.disarm(gone)
    await clock.advance(20)
    expect(log).toEqual(['short@7', 'a@10', 'b@14', 'c@14'])
    expect(clock.pendingTimers).toBe(0)
  })

  it('may be armed and disarmed while others expire', async () => {
    const clock = createVirtualClock(0)
    const deadlines = new Deadlines(clock)
    const log: string[] = []
    deadlines.arm(
      {
        expire: () => {
          log.push(`first@${clock.monotonic()}`)
          deadlines.disarm(second)
          deadlines.arm({ expire: () => void log.push(`again@${clock.monotonic()}`) }, clock.monotonic(), 10)
        },
      },
      0,
      10,
    )
    const second = deadlines.arm({ expire: () => void log.push('second') }, 0, 10)
    await clock.advance(100)
    expect(log).toEqual(['first@10', 'again@20'])
    expect(clock.pendingTimers).toBe(0)
  })
})
