import type { RedisScript } from '@twinwire/redis'
import fc from 'fast-check'
import type { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adjustScript, chargeScript, refundScript } from '../../packages/plugin-ratelimit/src/redis/scripts.ts'
import { toRule } from '../support/limit-store.ts'
import { hasRedis, redisClient, startRedis, type TestRedis } from '../support/redis.ts'

/** The algorithm of `rule.ts`, in microseconds. */
class Model {
  readonly #tats = new Map<string, number>()

  debt(key: string, now: number): number {
    return Math.max(0, (this.#tats.get(key) ?? 0) - now)
  }
  set(key: string, debt: number, now: number): void {
    this.#tats.set(key, now + Math.max(0, debt))
  }
  charge(charges: readonly ModelCharge[], now: number): { passes: boolean; debts: number[] } {
    const debts = charges.map(({ key }) => this.debt(key, now))
    const after = charges.map(({ costUs }, i) => (debts[i] ?? 0) + costUs)
    if (charges.some(({ spanUs }, i) => (after[i] ?? 0) > spanUs)) return { passes: false, debts }
    for (const [i, { key }] of charges.entries()) this.set(key, after[i] ?? 0, now)
    return { passes: true, debts: after }
  }
}

interface ModelCharge {
  readonly key: string
  readonly costUs: number
  readonly spanUs: number
}

/** One command, and the charges that the model applies for it. */
interface Step {
  readonly charges: readonly ModelCharge[]
  readonly sent: readonly (string | number)[]
}

/** Short and uneven periods, so that buckets refill while the test runs. */
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

/** Charges of several buckets at once, an adjustment of one bucket, or idle time. */
const actions = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('charge' as const),
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

  /** Sends all commands at once, so that only Redis determines their times, which its replies contain. */
  async function send(commands: readonly (readonly (string | number)[])[]): Promise<unknown[]> {
    const results = await client.pipeline(commands.map((command) => [...command])).exec()
    return (results ?? []).map(([error, answer]) => {
      if (error !== null) throw error
      return answer
    })
  }
  const command = (
    script: RedisScript,
    keys: readonly string[],
    args: readonly number[],
  ): readonly (string | number)[] => ['eval', script.lua, keys.length, ...keys, ...args]

  it('decide like the model, at the times of the server', async () => {
    await fc.assert(
      fc.asyncProperty(rules, actions, async (all, steps) => {
        const run = runs++
        const keys = all.map((_, i) => `${redis.prefix}${run}:${i}`)
        const plan = steps.flatMap(({ kind, costs }): readonly Step[] => {
          if (kind === 'idle') return Array.from({ length: costs[0] ?? 0 }, () => ({ charges: [], sent: ['ping'] }))
          const charges = all.flatMap(({ intervalUs, spanUs, capacity }, i): ModelCharge[] => {
            const cost = costs[i] ?? 0
            return cost === 0 ? [] : [{ key: keys[i] ?? '', costUs: Math.min(cost, capacity) * intervalUs, spanUs }]
          })
          if (charges.length === 0) return []
          const args = charges.flatMap(({ costUs, spanUs }) => [costUs, spanUs])
          const script = kind === 'charge' ? chargeScript : adjustScript
          return [
            {
              charges,
              sent: command(
                script,
                charges.map(({ key }) => key),
                args,
              ),
            },
          ]
        })
        const answers = await send(plan.map(({ sent }) => sent))
        const model = new Model()
        for (const [i, { charges }] of plan.entries()) {
          const answer = answers[i]
          if (Array.isArray(answer)) {
            const [passed, now, ...debts] = answer
            expect({ passes: passed === 1, debts }).toEqual(model.charge(charges, now))
          } else if (typeof answer === 'number') {
            for (const { key, costUs, spanUs } of charges)
              model.set(key, Math.min(model.debt(key, answer) + costUs, spanUs), answer)
          }
        }
      }),
      { numRuns: 1000 },
    )
  }, 120_000)

  it('never refund more than was charged, and at least what did not refill meanwhile', async () => {
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
          const charge = (cost: number) =>
            command(chargeScript, [key], [Math.min(cost, rule.capacity) * intervalUs, spanUs])
          const without = new Model()
          /** Applies to the model what the bucket would hold at the same times without the refunded call. */
          const follow = (answers: readonly unknown[], costs: readonly number[]): void => {
            for (const [i, answer] of answers.entries()) {
              const [passed, now, debt] = Array.isArray(answer) ? answer : []
              const costUs = Math.min(costs[i] ?? 0, rule.capacity) * intervalUs
              const would = without.debt(key, now) + costUs
              // A charge that is accepted beside the refunded call is accepted without it too.
              if (passed === 1) {
                expect(would).toBeLessThanOrEqual(spanUs)
                without.set(key, would, now)
              }
              expect(debt).toBeGreaterThanOrEqual(without.debt(key, now))
            }
          }
          follow(await send(before.map(charge)), before)
          const [taken] = await send([charge(1)])
          const [passed, takenUs, debtUs] = Array.isArray(taken) ? taken : []
          fc.pre(passed === 1)
          follow(await send(between.map(charge)), between)
          const [refundedUs, peeked] = await send([
            command(refundScript, [key], [intervalUs, takenUs + debtUs, spanUs]),
            command(chargeScript, [key], [0, spanUs]),
          ])
          const [, now, debt] = Array.isArray(peeked) ? peeked : []
          expect(debt - without.debt(key, now)).toBeLessThanOrEqual(Math.max(0, Number(refundedUs) - takenUs))
          follow(await send(after.map(charge)), after)
        },
      ),
      { numRuns: 1000 },
    )
  }, 120_000)
})
