// The check of words finds what it should, and nothing else.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/checks/words.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'words-'))
afterAll(() => rmSync(folder, { recursive: true }))

function check(text: string, name = 'planted.ts') {
  const file = join(folder, name)
  writeFileSync(file, text)
  const { status, stderr } = spawnSync(process.execPath, [script, file], { encoding: 'utf8' })
  return { status, found: [...stderr.matchAll(/:(\d+): "(.*?)"/g)].map(([, line, words]) => `${line} ${words}`) }
}

describe('the check of words', () => {
  it.each([
    ['in a comment', '// one\n// A room of its own.\n', ['2 room']],
    ['in a message, in any case', "throw new Error('Rooms: a ROOM')", ['1 rooms', '1 room']],
    ['in an identifier', 'const giveBackAll = 1', ['1 give back']],
    ['over two lines of a comment', '/**\n * It lets\n * in a client.\n */', ['2 lets in']],
    ['with a number', '// See rule 7.', ['1 rule 7']],
  ])('finds a word %s', (_, text, found) => {
    expect(check(text)).toEqual({ status: 1, found: expect.arrayContaining(found) })
  })

  it('finds a word in the name of a file', () => {
    expect(check('', 'sisters.ts')).toEqual({ status: 1, found: ['0 sisters'] })
  })

  it.each([
    ['a part of a longer word', '// mushroom, bedrooms, outdoor'],
    ['words on both sides of a full stop', '// What it may let. In the end it closes.'],
    ['a phrase that is right', '// There is no limit, and it is no longer there; it is no\n// longer open.'],
  ])('ignores %s', (_, text) => {
    expect(check(text)).toEqual({ status: 0, found: [] })
  })

  it('ignores what a page strikes through', () => {
    expect(check('| module | ~~room~~ |\n\nA room\n', 'page.md')).toEqual({ status: 1, found: ['3 room'] })
  })
})
