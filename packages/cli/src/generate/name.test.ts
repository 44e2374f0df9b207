import { expect, it } from 'vitest'
import { parseName, toName, toPlural, toSingular } from './name.ts'

it('is one name in all forms', () => {
  expect(parseName('route', 'archive-note2')).toEqual({
    kebab: 'archive-note2',
    camel: 'archiveNote2',
    pascal: 'ArchiveNote2',
    constant: 'ARCHIVE_NOTE2',
    words: 'archive note2',
  })
})

it.each([
  ['CreateNote', 'such as create-note'],
  ['create_note', 'such as create-note'],
  ['note-2', 'such as note2'],
  ['Ünder', 'use lower case words with hyphens'],
  ['', 'is not a name of a route'],
  ['../x', 'such as x'],
  ['x'.repeat(41), 'has at most 40 characters'],
  ['delete', 'reserved word'],
  ['await', 'reserved word'],
  ['page', 'generated code uses'],
  ['string', 'generated code uses'],
  ['map', 'a global of JavaScript: choose another one, such as map-entry'],
  ['process', 'a global of JavaScript'],
])('refuses %j', (text, message) => {
  expect(() => parseName('route', text)).toThrow(message)
})

it.each([
  ['notes', 'note'],
  ['categories', 'category'],
  ['boxes', 'box'],
  ['classes', 'class'],
  ['sales-orders', 'sales-order'],
  ['news', 'news'],
  ['status', 'status'],
  ['staff', 'staff'],
])('%s is many of %s', (many, one) => {
  expect(toSingular(toName(many)).kebab).toBe(one)
})

it.each([
  ['note', 'notes'],
  ['category', 'categories'],
  ['day', 'days'],
  ['box', 'boxes'],
  ['branch', 'branches'],
])('%s becomes %s', (one, many) => {
  expect(toPlural(toName(one)).kebab).toBe(many)
})
