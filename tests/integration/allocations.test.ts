import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { compareCounts } from '../allocations/compare.ts'

const baseline = { call: { optimized: 1000, interpreted: 2000 } }

it('accepts a count that rose by up to 2 %', () => {
  const { lines, problems, fell } = compareCounts(baseline, { call: { optimized: 1020, interpreted: 2100 } })
  expect(problems).toEqual([])
  expect(fell).toBe(false)
  expect(lines).toEqual(['call: 1020 bytes a call (1000 in baseline.json)'])
})

it('rejects more, and says whether it is the code or the compiler', () => {
  const { problems } = compareCounts(baseline, { call: { optimized: 1021, interpreted: 2021 } })
  expect(problems[0]).toContain("'call' allocates 2.1 % more: 1021 bytes a call, 1000 before")
  expect(problems[0]).toContain('The code as it is written allocates 2000 bytes before and 2021 now.')
  expect(problems[0]).toContain('npm run check:allocations -- --update')
  const { problems: ofCompiler } = compareCounts(baseline, { call: { optimized: 1100, interpreted: 2000 } })
  expect(ofCompiler[0]).toContain('allocates no more than before (2000)')
})

it('asks to keep a count that fell', () => {
  expect(compareCounts(baseline, { call: { optimized: 900, interpreted: 1900 } })).toMatchObject({
    problems: [],
    fell: true,
  })
})

it('rejects a scenario that is only on one side', () => {
  expect(compareCounts({}, baseline).problems[0]).toContain("'call' is not in the baseline")
  expect(compareCounts(baseline, {}).problems[0]).toContain('was not counted')
})

it('has a baseline for every supported major version of Node', () => {
  const file = readFileSync(new URL('../allocations/baseline.json', import.meta.url), 'utf8')
  expect(Object.keys(JSON.parse(file))).toEqual(['20', '22', '24'])
})
