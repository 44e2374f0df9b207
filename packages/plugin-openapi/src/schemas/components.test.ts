import { expect, it } from 'vitest'
import { SchemaComponents, toName } from './components.ts'

const author = { title: 'Author', type: 'object', properties: { name: { type: 'string' } } }

it('names equal schemas once, by their title or by the hint', () => {
  const components = new SchemaComponents()
  const list = components.add({ schema: { type: 'array', items: author }, definitions: {} }, 'List')
  expect(list).toEqual({ type: 'array', items: { $ref: '#/components/schemas/Author' } })
  expect(components.add({ schema: { ...author }, definitions: {} }, 'Get')).toEqual({
    $ref: '#/components/schemas/Author',
  })
  const other = { ...author, properties: { id: { type: 'number' } } }
  expect(components.add({ schema: other, definitions: {} }, 'Get')).toEqual({ $ref: '#/components/schemas/Author2' })
  expect(Object.keys(components.toJson())).toEqual(['Author', 'Author2'])
})

it('keeps the references of recursive schemas, of definitions and of the whole', () => {
  const components = new SchemaComponents()
  const node = { type: 'object', properties: { next: { $ref: '#/$defs/0' } } }
  const wanted = { $ref: '#/components/schemas/TreeNode' }
  expect(components.add({ schema: { $ref: '#/$defs/0' }, definitions: { 0: node } }, 'Tree')).toEqual(wanted)
  expect(components.add({ schema: { $ref: '#/$defs/0' }, definitions: { 0: node } }, 'Again')).toEqual(wanted)
  const whole = { type: 'object', properties: { next: { $ref: '#' } } }
  expect(components.add({ schema: whole, definitions: {} }, 'Chain')).toEqual({ $ref: '#/components/schemas/Chain' })
  expect(components.toJson()).toEqual({
    Chain: { type: 'object', properties: { next: { $ref: '#/components/schemas/Chain' } } },
    TreeNode: { type: 'object', properties: { next: wanted } },
  })
})

it('makes names that every tool takes', () => {
  expect([toName('GET_AUTHORS'), toName('GET /authors/:id'), toName('presence.LIST')]).toEqual([
    'GetAuthors',
    'GetAuthorsId',
    'PresenceList',
  ])
})
