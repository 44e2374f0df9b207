// Subscribing, publishing, leaving, closing, resuming, and the loss of messages, nodes and the server of the broker, in every order, against
// what the order guarantee says that a connection may receive.
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { type Operation, operation } from './model-operations.fixtures.ts'
import { happened, World } from './model-world.fixtures.ts'

vi.setConfig({ testTimeout: 300_000 })

const runs = Number(process.env.MODEL_RUNS ?? 2000)
// Each run of the suite plays the same; other seeds by MODEL_SEED.
const seed = Number(process.env.MODEL_SEED ?? 9)

describe('the order guarantee, against a model', () => {
  it(`holds in ${runs} runs of a network in which everything happens in every order (seed ${seed})`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 20, maxLength: 80, size: 'max' }),
        fc.nat(),
        (operations, random) => play(new World(random, 4), operations),
      ),
      { numRuns: runs, seed, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true },
    )
    for (const [what, times] of Object.entries(happened)) expect([what, times > runs / 10]).toEqual([what, true])
  })

  it(`lets each client recover as long as the history has everything (seed ${seed})`, async () => {
    const calm = operation.filter(({ op }) => ['steps', 'publish', 'connect', 'return', 'close'].includes(op))
    await fc.assert(
      fc.asyncProperty(
        fc.array(calm, { minLength: 20, maxLength: 80, size: 'max' }),
        fc.nat(),
        async (operations, random) => {
          const world = new World(random, 1000)
          await play(world, operations)
          for (const { connections } of world.clients)
            for (const { seen } of connections) {
              const asked = new Map(
                seen.flatMap((each) => (each.kind === 'asked' ? [[each.request, each.since] as const] : [])),
              )
              for (const each of seen)
                if (
                  each.kind === 'failed' ||
                  (each.kind === 'answer' && !each.recovered && asked.get(each.request) !== null)
                )
                  throw new Error(`not recovered:\n${seen.map((one) => JSON.stringify(one)).join('\n')}`)
            }
        },
      ),
      { numRuns: runs / 4, seed, interruptAfterTimeLimit: 240_000, markInterruptAsFailure: true },
    )
  })
})

async function play(world: World, operations: readonly Operation[]): Promise<void> {
  await world.begin()
  for (const each of operations) await world.run(each)
  await world.end()
  world.check()
}
