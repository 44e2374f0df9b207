import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { Effects } from './effects.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

/** Transactions in each other, each with effects of its own, that commit or roll back. */
interface Transaction {
  readonly commits: boolean
  readonly body: readonly (number | Transaction)[]
}
const { body } = fc.letrec<{ body: (number | Transaction)[]; transaction: Transaction }>((tie) => ({
  transaction: fc.record({ commits: fc.boolean(), body: tie('body') }),
  body: fc.array(fc.oneof({ maxDepth: 3 }, fc.nat({ max: 99 }), tie('transaction')), { maxLength: 5 }),
}))

/** What a transaction adds and does not take back. */
const survivors = ({ commits, body }: Transaction): number[] =>
  commits ? body.flatMap((each) => (typeof each === 'number' ? [each] : survivors(each))) : []

describe('Effects', () => {
  it('run those whose every transaction has committed, in order, when the outermost has', async () => {
    await fc.assert(
      fc.asyncProperty(body, async (calls) => {
        const ran: number[] = []
        const effects = new Effects(
          () => {},
          () => {},
        )
        const add = (n: number): void => effects.add(() => void ran.push(n))
        const play = async (transaction: Transaction): Promise<void> => {
          const mark = effects.hold()
          for (const each of transaction.body) typeof each === 'number' ? add(each) : await play(each)
          expect(effects.held).toBe(true)
          await effects.unhold(mark, transaction.commits)
        }
        const expected: number[] = []
        for (const each of calls) {
          if (typeof each === 'number') continue
          await play(each)
          expected.push(...survivors(each))
          expect(ran).toEqual(expected)
        }
        expect(effects.held).toBe(false)
        expect(effects.release()).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  it('belong to the transaction they were added in, of those side by side too', async () => {
    await fc.assert(
      fc.asyncProperty(body, fc.scheduler(), async (calls, scheduler) => {
        const ran: number[] = []
        let wereHeld = true
        const effects = new Effects(
          () => {},
          () => {},
        )
        const part = async (each: number | Transaction): Promise<void> => {
          await scheduler.schedule(Promise.resolve())
          wereHeld &&= effects.held
          if (typeof each === 'number') effects.add(() => void ran.push(each))
          else await play(each)
        }
        const play = ({ commits, body }: Transaction): Promise<void> =>
          effects
            .transact(async () => {
              await Promise.all(body.map(part))
              if (!commits) throw new Error('rolled back')
            })
            .catch(() => {})
        const transactions = calls.filter((each) => typeof each !== 'number')
        await scheduler.waitFor(Promise.all(transactions.map(play)))
        expect(ran.toSorted()).toEqual(transactions.flatMap(survivors).toSorted())
        expect([wereHeld, effects.held, effects.release()]).toEqual([true, false, undefined])
      }),
      { numRuns: 1000 },
    )
  })

  it('makes no promise when there is nothing to run', () => {
    const effects = new Effects(
      () => {},
      () => {},
    )
    expect(effects.release()).toBeUndefined()
    expect(effects.unhold(effects.hold(), true)).toBeUndefined()
  })

  it('drops what waits, but not within a transaction: its own end decides', async () => {
    const ran: string[] = []
    const effects = new Effects(
      () => {},
      () => {},
    )
    effects.add(() => void ran.push('dropped'))
    effects.drop()
    await effects.release()
    const mark = effects.hold()
    effects.add(() => void ran.push('kept'))
    effects.drop()
    await effects.unhold(mark, true)
    expect(ran).toEqual(['kept'])
  })

  it('runs all, though one fails', async () => {
    const errors: unknown[] = []
    const ran: number[] = []
    const effects = new Effects(
      (error) => errors.push(error),
      () => {},
    )
    effects.add(() => {
      throw new Error('one')
    })
    effects.add(() => Promise.reject(new Error('two')))
    effects.add(async () => void ran.push(3))
    await effects.release()
    expect([errors, ran]).toEqual([[new Error('one'), new Error('two')], [3]])
  })
})
