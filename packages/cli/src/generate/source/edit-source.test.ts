import { expect, it } from 'vitest'
import {
  findArrayOfCall,
  findExportedObject,
  insertElement,
  insertFrom,
  parseSource,
  readDeclaredNames,
} from './edit-source.ts'
import { writeImports } from './imports.ts'

/** Adds `C: 3` to `PkgID`, behind the property with that name. */
function addTo(text: string, behind?: string): string {
  const object = findExportedObject(parseSource('a.ts', text), 'PkgID')
  return insertElement(
    object,
    'C: 3',
    object.properties.find((each) => each.name?.getText() === behind),
  )
}

it.each([
  ['export const PkgID = {} as const\n', 'export const PkgID = { C: 3 } as const\n'],
  ['export const PkgID = { A: 1, B: 2 }\n', 'export const PkgID = { A: 1, B: 2, C: 3 }\n'],
  ['export const PkgID = {\n  A: 1,\n} as const\n', 'export const PkgID = {\n  A: 1,\n  C: 3,\n} as const\n'],
  ['export const PkgID = {\n\tA: 1, // of users\n};', 'export const PkgID = {\n\tA: 1, // of users\n\tC: 3,\n};'],
  ['export const PkgID = {\n  A: 1 // no comma\n}', 'export const PkgID = {\n  A: 1, // no comma\n  C: 3,\n}'],
  ['export const PkgID = {\n  A: 1, B: 2,\n}', 'export const PkgID = {\n  A: 1, B: 2,\n  C: 3,\n}'],
  ['export const PkgID = {\n  A: 1,\n  // the last\n}', 'export const PkgID = {\n  A: 1,\n  C: 3,\n  // the last\n}'],
  ['export const PkgID = {\n  // none yet\n}', 'export const PkgID = {\n  // none yet\n  C: 3,\n}'],
  ['export const PkgID = { A: 1 /* first */ }', 'export const PkgID = { A: 1, C: 3 /* first */ }'],
  ['export const PkgID = ({ A: 1 } satisfies object)', 'export const PkgID = ({ A: 1, C: 3 } satisfies object)'],
])('keeps comments and format of %j', (before, after) => {
  expect(addTo(before)).toBe(after)
})

it('inserts behind a property, and breaks a line that becomes too long', () => {
  expect(addTo('export const PkgID = {\n  A: 1, // one\n  D: 9,\n}', 'A')).toBe(
    'export const PkgID = {\n  A: 1, // one\n  C: 3,\n  D: 9,\n}',
  )
  const long = 'x'.repeat(90)
  expect(addTo(`export const PkgID = { ${long}: 1 }`)).toBe(`export const PkgID = {\n  ${long}: 1,\n  C: 3,\n}`)
})

it('adds to the list of a call', () => {
  const add = (text: string): string => insertElement(findArrayOfCall(parseSource('a.ts', text), 'defineRoles'), "'c'")
  expect(add("export const { x } = defineRoles(['a'])")).toBe("export const { x } = defineRoles(['a', 'c'])")
  expect(add('export const { x } = defineRoles([])')).toBe("export const { x } = defineRoles(['c'])")
  expect(add("const r = defineRoles([\n  'a',\n] as const)")).toBe(
    "const r = defineRoles([\n  'a',\n  'c',\n] as const)",
  )
})

it('adds imports and exports in the order of biome', () => {
  const add = (text: string, from: string): string =>
    insertFrom(parseSource('a.ts', text), from, `import { x } from '${from}'`)
  const text =
    "// The first line.\nimport { a } from 'pkg'\nimport { b } from '../b.ts'\nimport { n } from './note.ts'\n\nrun()\n"
  const positions = ['@scope/a', '../a.ts', './note-b.ts', './z.ts'].map((from) =>
    add(text, from)
      .split('\n')
      .findIndex((line) => line.includes(from)),
  )
  expect(positions).toEqual([1, 2, 4, 4])
  expect(add('run()\n', './a.ts')).toBe("import { x } from './a.ts'\n\nrun()\n")
  expect(insertFrom(parseSource('a.ts', '// Tables.\n'), './a.ts', "export { a } from './a.ts'")).toBe(
    "// Tables.\nexport { a } from './a.ts'\n",
  )
})

it('says what a file must have', () => {
  expect(() => addTo('export const PkgID = 1')).toThrow('a.ts must have export const PkgID = { … }')
  expect(() => addTo('const PkgID = {}')).toThrow('must have export const PkgID')
  expect(() => addTo('export const PkgID = {')).toThrow('a.ts cannot be parsed')
  expect(() => findArrayOfCall(parseSource('a.ts', 'defineRoles(list)'), 'defineRoles')).toThrow(
    'must call defineRoles([…]) with an array literal',
  )
})

it('knows the names of a file', () => {
  const source = parseSource(
    'a.ts',
    "import d, { a as b } from 'x'\nimport * as n from 'y'\nconst { c, e: [f] } = n\nclass G {}",
  )
  expect([...readDeclaredNames(source)]).toEqual(expect.arrayContaining(['d', 'b', 'n', 'c', 'f', 'G']))
})

it('writes imports sorted and merged', () => {
  expect(
    writeImports([
      ['./note-added.event.ts', 'noteAdded'],
      ['vitest', 'it', 'expect'],
      ['./note.schemas.ts', 'type Note', 'type AddNoteInput'],
      ['../../pkg-ids.ts', 'PkgID'],
      ['vitest', 'it', 'afterAll'],
      ['valibot', '* as v'],
      ['@twinwire/core', 'type Page', 'BaseCommand'],
    ]),
  ).toBe(`import { BaseCommand, type Page } from '@twinwire/core'
import * as v from 'valibot'
import { afterAll, expect, it } from 'vitest'
import { PkgID } from '../../pkg-ids.ts'
import type { AddNoteInput, Note } from './note.schemas.ts'
import { noteAdded } from './note-added.event.ts'
`)
})
