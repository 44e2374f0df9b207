import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  adjustScript,
  refundScript,
  type Script,
  takeScript,
} from '../../packages/plugin-ratelimit/src/redis/scripts.ts'
import { toRule } from '../support/limit-store.ts'
import { hasRedis, redisClient, startRedis, type TestRedis } from '../support/redis.ts'

/** The algorithm as it stands in `rule.ts`, and nothing else. Microseconds. */
class Model {
  readonly #tats = new Map<string, number>()

  debt(key: string, now: number): number {
    return Math.max(0, (this.#tats.get(key) ?? 0) - now)
  }
  set(key: string, debt: number, now: number): void {
    this.#tats.set(key, now + Math.max(0, debt))
  }
  take(takes: readonly ModelTake[], now: number): { passes: boolean; debts: number[] } {
    const debts = takes.map(({ key }) => this.debt(key, now))
    const after = takes.map(({ costUs }, i) => (debts[i] ?? 0) + costUs)
    if (takes.some(({ spanUs }, i) => (after[i] ?? 0) > spanUs)) return { passes: false, debts }
    for (const [i, { key }] of takes.entries()) this.set(key, after[i] ?? 0, now)
    return { passes: true, debts: after }
  }
}

interface ModelTake {
  readonly key: string
  readonly costUs: number
  readonly spanUs: number
}

/** One command, and what it does to the model. */
interface Step {
  readonly takes: readonly ModelTake[]
  readonly sent: readonly (string | number)[]
}

/** Short periods, so that buckets refill while the test runs, and odd ones. */
const rules = fc
  .array(
    fc.record({
      points: fc.integer({ min: 1, max: 30 }),
      periodMs: fc.integer({ min: 1, max: 40 }),
      burst: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((all) => all.map((each, i) => toRule({ ...each, name: `rule${i}` })))

/** What is sent: takes of some buckets at once, an adjustment of one, or nothing for a while. */
const actions = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('take' as const),
        costs: fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 3, maxLength: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('adjust' as const), costs: fc.tuple(fc.integer({ min: -4, max: 4 })) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant('idle' as const), costs: fc.tuple(fc.integer({ min: 1, max: 40 })) }),
    },
  ),
  { minLength: 1, maxLength: 25 },
)

describe.skipIf(!(await hasRedis()))('the scripts of buckets', () => {
  let redis: TestRedis
  let client: Redis
  let runs = 0

  beforeAll(async () => {
    redis = await startRedis()
    client = redisClient(redis.url)
  })
  afterAll(async () => {
    client?.disconnect()
    await redis?.stop()
  })

  /** Sends all at once, so that nothing but Redis decides about the times; what it answers says which they were. */
  async function send(commands: readonly (readonly (string | number)[])[]): Promise<unknown[]> {
    const results = await client.pipeline(commands.map((command) => [...command])).exec()
    return (results ?? []).map(([error, answer]) => {
      if (error !== null) throw error
      return answer
    })
  }
  const command = (script: Script, keys: readonly string[], args: readonly number[]): readonly (string | number)[] => [
    'eval',
    script.lua,
    keys.length,
    ...keys,
    ...args,
  ]

  it('decide as the model does, at the times of the server', async () => {
    await fc.assert(
      fc.asyncProperty(rules, actions, async (all, steps) => {
        const run = runs++
        const keys = all.map((_, i) => `${redis.prefix}${run}:${i}`)
        const plan = steps.flatMap(({ kind, costs }): readonly Step[] => {
          if (kind === 'idle') return Array.from({ length: costs[0] ?? 0 }, () => ({ takes: [], sent: ['ping'] }))
          const takes = all.flatMap(({ intervalUs, spanUs, capacity }, i): ModelTake[] => {
            const cost = costs[i] ?? 0
            return cost === 0 ? [] : [{ key: keys[i] ?? '', costUs: Math.min(cost, capacity) * intervalUs, spanUs }]
          })
          if (takes.length === 0) return []
          const args = takes.flatMap(({ costUs, spanUs }) => [costUs, spanUs])
          const script = kind === 'take' ? takeScript : adjustScript
          return [
            {
              takes,
              sent: command(
                script,
                takes.map(({ key }) => key),
                args,
              ),
            },
          ]
        })
        const answers = await send(plan.map(({ sent }) => sent))
        const model = new Model()
        for (const [i, { takes }] of plan.entries()) {
          const answer = answers[i]
          if (Array.isArray(answer)) {
            const [passed, now, ...debts] = answer
            expect({ passes: passed === 1, debts }).toEqual(model.take(takes, now))
          } else if (typeof answer === 'number') {
            for (const { key, costUs, spanUs } of takes)
              model.set(key, Math.min(model.debt(key, answer) + costUs, spanUs), answer)
          }
        }
      }),
      { numRuns: 1000 },
    )
  }, 120_000)

  it('give back never more than was taken, and at least all but what refilled on the way', async () => {
    const others = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(
        rules,
        others,
        others,
        others,
        async ([rule = toRule({ points: 1, periodMs: 1 })], before, between, after) => {
          const key = `${redis.prefix}${runs++}`
          const { intervalUs, spanUs } = rule
          const take = (cost: number) =>
            command(takeScript, [key], [Math.min(cost, rule.capacity) * intervalUs, spanUs])
          const without = new Model()
          /** What the bucket would hold without the call that is refunded, asked for at the same times. */
          const follow = (answers: readonly unknown[], costs: readonly number[]): void => {
            for (const [i, answer] of answers.entries()) {
              const [passed, now, debt] = Array.isArray(answer) ? answer : []
              const costUs = Math.min(costs[i] ?? 0, rule.capacity) * intervalUs
              const would = without.debt(key, now) + costUs
              // One that passes beside the refunded call passes without it too.
              if (passed === 1) {
                expect(would).toBeLessThanOrEqual(spanUs)
                without.set(key, would, now)
              }
              expect(debt).toBeGreaterThanOrEqual(without.debt(key, now))
            }
          }
          follow(await send(before.map(take)), before)
          const [taken] = await send([take(1)])
          const [passed, takenUs, debtUs] = Array.isArray(taken) ? taken : []
          fc.pre(passed === 1)
          follow(await send(between.map(take)), between)
          const [refundedUs, peeked] = await send([
            command(refundScript, [key], [intervalUs, takenUs + debtUs, spanUs]),
            command(takeScript, [key], [0, spanUs]),
          ])
          const [, now, debt] = Array.isArray(peeked) ? peeked : []
          expect(debt - without.debt(key, now)).toBeLessThanOrEqual(Math.max(0, Number(refundedUs) - takenUs))
          follow(await send(after.map(take)), after)
        },
      ),
      { numRuns: 1000 },
    )
  }, 120_000)
})
