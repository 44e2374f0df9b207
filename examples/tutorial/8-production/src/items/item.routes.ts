import { event, route } from '@twinwire/core'
import { once, transaction, withDb } from '@twinwire/core/database'
import { limit } from '@twinwire/plugin-ratelimit'
import * as v from 'valibot'
import { requireRoles } from '../roles.ts'
import { AddItemCommand } from './add-item.command.ts'
import { BuyItemCommand } from './buy-item.command.ts'
import { shoppingErrors } from './item.errors.ts'
import { ItemRepository } from './item.repository.ts'
import { AddItemInput, ItemIdInput, ItemSchema } from './item.schemas.ts'
import { listTopic } from './item.topics.ts'

export const itemChanged = event({ summary: 'An item was added, changed or bought', data: ItemSchema })

export const listItems = route({
  http: 'GET /items',
  use: [requireRoles('read-list'), withDb()],
  output: v.array(ItemSchema),
  handler: (_input, { db }) => new ItemRepository(db).listOpen(),
})

export const addItem = route({
  http: { route: 'POST /items', status: 201 },
  use: [
    requireRoles('edit-list'),
    // Ten of one user in a minute, over both wires together.
    limit('10/m'),
    // The same call again within a day: nothing is added, and the reply is the same.
    once({ retention: 24 * 3_600_000 }),
    transaction({ outbox: true }),
  ],
  input: AddItemInput,
  output: ItemSchema,
  errors: [shoppingErrors.list_full],
  // A command does not depend on connections, so the event is published here. It is a row of the transaction until it is sent.
  handler: async (input, call) => {
    const item = await new AddItemCommand(new ItemRepository(call.db), call.user.name).execute(input)
    call.publish(listTopic, itemChanged, item)
    return item
  },
})

export const buyItem = route({
  http: 'POST /items/:id/buy',
  use: [requireRoles('edit-list'), transaction({ outbox: true })],
  input: ItemIdInput,
  output: ItemSchema,
  errors: [shoppingErrors.already_bought],
  handler: async (input, call) => {
    const item = await new BuyItemCommand(new ItemRepository(call.db)).execute(input)
    call.publish(listTopic, itemChanged, item)
    return item
  },
})
