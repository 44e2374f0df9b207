import { expect, it } from 'vitest'
import { readMachine } from './machine.ts'
import { isInRange } from './version-range.ts'

it.each([
  ['20.19.0', '^20.19 || ^22.12 || ^24', true],
  ['20.18.3', '^20.19 || ^22.12 || ^24', false],
  ['21.7.3', '^20.19 || ^22.12 || ^24', false],
  ['22.11.0', '^20.19 || ^22.12 || ^24', false],
  ['24.0.0', '^20.19 || ^22.12 || ^24', true],
  ['23.11.1', '^20.19 || ^22.12 || ^24', false],
  ['25.2.0', '^20.19 || ^22.12 || ^24', false],
  ['26.0.0', '^20.19 || ^22.12 || ^24', false],
  ['0.45.9', '>=0.45 <0.46', true],
  ['0.46.0', '>=0.45 <0.46', false],
  ['0.5.16', '^0.5.16', true],
  ['0.6.0', '^0.5.16', false],
  ['0.0.4', '^0.0.3', false],
  ['1.9.9', '^1.5.0', true],
  ['2.0.0', '^1.5.0', false],
  ['1.5.0-rc.1', '^1.5.0', false],
  ['1.6.0-rc.1', '^1.5.0', true],
  ['0.46.0-rc.1', '>=0.45 <0.46', false],
  ['1.5.1+build', '^1.5.0', true],
  ['1.2.9', '~1.2', true],
  ['3.0.0', '*', true],
  ['3.4.9', '3.4.9', true],
  ['3.4.10', '<=3.4.9', false],
  ['3.4.10', '>3.4.9', true],
])('%s within %s: %s', (version, range, expected) => {
  expect(isInRange(version, range)).toBe(expected)
})

it('reads every range of our own package.json, and refuses what is not a range', () => {
  const { manifest } = readMachine()
  const ranges = [...Object.values(manifest?.peerDependencies ?? {}), manifest?.engines['node'] ?? '']
  expect(ranges.length).toBeGreaterThan(4)
  for (const range of ranges) expect(() => isInRange('1.0.0', range)).not.toThrow()
  for (const range of ['latest', 'workspace:^']) {
    expect(() => isInRange('1.0.0', range)).toThrow(`'${range}' is not a version range`)
  }
})
