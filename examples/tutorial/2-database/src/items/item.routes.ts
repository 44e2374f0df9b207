import { route } from '@twinwire/core'
import { transaction, withDb } from '@twinwire/core/database'
import * as v from 'valibot'
import { AddItemCommand } from './add-item.command.ts'
import { ItemRepository } from './item.repository.ts'
import { AddItemInput, ItemSchema } from './item.schemas.ts'

export const listItems = route({
  http: 'GET /items',
  use: [withDb()],
  output: v.array(ItemSchema),
  handler: (_input, { db }) => new ItemRepository(db).listOpen(),
})

export const addItem = route({
  http: { route: 'POST /items', status: 201 },
  use: [transaction()],
  input: AddItemInput,
  output: ItemSchema,
  command: ({ db }) => new AddItemCommand(new ItemRepository(db)),
})
