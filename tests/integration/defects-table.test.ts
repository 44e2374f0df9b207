// The table of defects of the reference system is made of titles of tests, and says what is wrong with them.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/defects-table.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'defects-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'planted.test.ts')
// In two parts: this file is read too.
const ofNumber = (number: number): string => `[${'defect'} ${number}]`

const atTheEnd = `planted.test.ts:1: write ${ofNumber(17)}`

function check(...given: readonly string[]) {
  const { status, stderr } = spawnSync(process.execPath, [script, '--check', ...given], { encoding: 'utf8' })
  return { status, stderr }
}

test('the page is what the titles make, and each defect has a test or a reason', () => {
  expect(check()).toEqual({ status: 0, stderr: '' })
})

test.each([
  ['a number that no defect has', `it('a ${ofNumber(84)}', () => {})`, 'has the number 84, which no defect has'],
  ['a test that is not run', `it.skip('a ${ofNumber(1)}', () => {})`, 'planted.test.ts:1: a test that is not run'],
  ['a defect with a reason', `test.each([1])('a %i ${ofNumber(47)}', () => {})`, 'Defect 47 has tests, so it needs no'],
  ['a number in the middle', `it('a ${ofNumber(1)} b', () => {})`, atTheEnd],
  ['a number of a group', `\ndescribe('a ${ofNumber(1)}', () => {})`, atTheEnd.replace(':1', ':2')],
  ['another form', `it('a [${'defects'} 1 and 2]', () => {})`, atTheEnd],
  ['a number in a comment', `// ${ofNumber(1)}`, atTheEnd],
  [
    'a title that the page does not have',
    `it('a ${ofNumber(1)} ${ofNumber(2)}', () => {})`,
    'does not match the titles',
  ],
])('%s is refused', (_what, text, message) => {
  writeFileSync(file, text)
  expect(check(file)).toEqual({ status: 1, stderr: expect.stringContaining(message) })
})
