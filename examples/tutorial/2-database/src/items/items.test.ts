import { createTestDatabase } from '@twinwire/core/database/testing'
import { createTestApp } from '@twinwire/core/testing'
import { afterAll, beforeEach, expect, it } from 'vitest'
import { api } from '../api.ts'

// A PostgreSQL inside this process, with the migrations. Before each test its rows are those of the start.
const database = await createTestDatabase({ migrations: new URL('../../drizzle', import.meta.url) })
beforeEach(() => database.reset())
afterAll(() => database.close())

it('adds items over both wires to one list', async () => {
  const { client, close } = await createTestApp({ ...api, plugins: [database.plugin] })
  const ann = await client()
  const milk = await ann.call('ADD_ITEM', { name: 'milk' })
  const eggs = await ann.http('ADD_ITEM', { name: ' eggs ', amount: 6 })
  expect(milk).toEqual({ id: 1, name: 'milk', amount: 1, bought: false })
  expect(eggs).toEqual({ id: 2, name: 'eggs', amount: 6, bought: false })
  expect(await ann.call('LIST_ITEMS')).toEqual([milk, eggs])
  expect(await ann.http('LIST_ITEMS')).toEqual([milk, eggs])
  await close()
})

it('adds the amount to what is on the list already', async () => {
  const { client, close } = await createTestApp({ ...api, plugins: [database.plugin] })
  const ann = await client()
  await ann.call('ADD_ITEM', { name: 'eggs', amount: 6 })
  expect(await ann.http('ADD_ITEM', { name: 'eggs', amount: 4 })).toMatchObject({ id: 1, amount: 10 })
  expect(await ann.call('LIST_ITEMS')).toHaveLength(1)
  await close()
})
