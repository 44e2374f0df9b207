import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BucketTable } from './bucket-table.ts'

describe('BucketTable', () => {
  it('equals a plain map without the full buckets, below maxKeys', () => {
    const actions = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
        waitUs: fc.nat({ max: 900 }),
        debtUs: fc.integer({ min: 1, max: 640 }),
        remove: fc.boolean(),
      }),
      { maxLength: 80 },
    )
    fc.assert(
      fc.property(actions, (list) => {
        const table = new BucketTable(640, 1000, () => expect.fail('evicted below maxKeys'))
        const model = new Map<string, number>()
        let now = 0
        for (const { key, waitUs, debtUs, remove } of list) {
          now += waitUs
          const bucket = table.find(key)
          if (remove && bucket !== undefined) {
            table.remove(bucket)
            model.delete(key)
          } else {
            table.set(bucket, key, now + debtUs, now)
            model.set(key, now + debtUs)
          }
          for (const each of ['a', 'b', 'c', 'd', 'e']) {
            const expected = model.get(each) ?? 0
            if (expected > now) expect(table.find(each)?.tat).toBe(expected)
          }
          expect(table.size).toBeLessThanOrEqual(5)
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('at maxKeys evicts a bucket within one time slot of the smallest debt, and none before the full buckets', () => {
    const inserts = fc.array(fc.record({ waitUs: fc.nat({ max: 30 }), debtUs: fc.integer({ min: 1, max: 640 }) }), {
      minLength: 30,
      maxLength: 120,
    })
    fc.assert(
      fc.property(inserts, (list) => {
        let evictions = 0
        const table = new BucketTable(640, 10, () => evictions++)
        const alive = new Map<string, number>()
        let now = 0
        for (const [i, { waitUs, debtUs }] of list.entries()) {
          now += waitUs
          const before = evictions
          table.set(undefined, `${i}`, now + debtUs, now)
          const gone = [...alive].filter(([key]) => table.find(key) === undefined)
          const evicted = gone.filter(([, tat]) => tat > now + 10)
          if (evictions === before && evicted.length > 0) expect.fail(`evicted without onEvict: ${evicted}`)
          // A time slot is ten microseconds wide.
          const smallest = Math.min(
            ...[...alive].filter(([key]) => table.find(key) !== undefined).map(([, tat]) => tat),
          )
          if (evicted.some(([, tat]) => tat >= smallest + 10))
            expect.fail(`${evicted} was evicted, and ${smallest} was not`)
          for (const [key] of gone) alive.delete(key)
          alive.set(`${i}`, now + debtUs)
          if (table.size > 10) expect.fail('more than maxKeys')
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('deletes all full buckets after a long idle time', () => {
    const table = new BucketTable(640, 100, () => expect.fail('evicted below maxKeys'))
    for (let i = 0; i < 50; i++) table.set(undefined, `old ${i}`, 640, 0)
    for (let i = 0; i < 25; i++) table.set(undefined, `new ${i}`, 1e9 + 640, 1e9)
    expect([table.size, table.find('old 49'), table.find('new 0')?.tat]).toEqual([25, undefined, 1e9 + 640])
  })
})
