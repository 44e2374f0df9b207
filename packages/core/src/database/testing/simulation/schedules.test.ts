// once() and the outbox over disturbed networks, databases and processes: one effect, one reply, one publication, in order. Faults that are planted are found.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { SimulationFailure } from '../../../testing/simulation/simulation-failure.ts'
import { type Marks, prepareMarks } from './marks.fixtures.ts'

vi.setConfig({ testTimeout: 3_600_000, hookTimeout: 120_000 })

const runs = Number(process.env.SIMULATION_RUNS ?? 15)

describe('once() with an outbox', () => {
  let marks: Marks
  beforeAll(async () => {
    marks = await prepareMarks()
  })
  afterAll(() => marks?.close())

  it(`holds in ${runs} schedules`, () => marks.check('right', runs))

  it('a seed repeats itself, in another database too', async () => {
    const other = await prepareMarks()
    const [first, ...again] = [await marks.history(3), await other.history(3), await marks.history(3)]
    await other.close()
    expect(first?.length).toBeGreaterThan(100)
    for (const each of again) expect(each).toEqual(first)
  })

  it('a node whose publication another one has sent asks the database no more often than before', async () => {
    const asked = await marks.askedAfterTakeover()
    expect(asked).toBeGreaterThan(5)
    expect(asked).toBeLessThan(15)
  })

  it.each([
    ['reply stored after the commit', /has 2 rows|its row is|failed, and has a row/],
    ['published before the commit', /was published, and has no row/],
    ['no outbox', /never published/],
  ] as const)('a fault that is planted is found: %s', async (variant, message) => {
    const failure: unknown = await marks.check(variant, 2000).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(SimulationFailure)
    expect(String(failure)).toMatch(message)
    expect(String(failure)).toContain('Played again, everything was the same')
  })
})
