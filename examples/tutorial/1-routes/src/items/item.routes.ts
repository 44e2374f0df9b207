import { route } from '@twinwire/core'
import * as v from 'valibot'
import { AddItemInput, type Item, ItemSchema } from './item.schemas.ts'

const items: Item[] = []

export const listItems = route({
  http: 'GET /items',
  output: v.array(ItemSchema),
  handler: () => items,
})

export const addItem = route({
  http: { route: 'POST /items', status: 201 },
  input: AddItemInput,
  output: ItemSchema,
  handler: (input) => {
    const item = { id: items.length + 1, ...input }
    items.push(item)
    return item
  },
})
