import { createTestApp } from '@twinwire/core/testing'
import { expect, it } from 'vitest'
import { api } from '../api.ts'

it('adds items over both wires to one list', async () => {
  const { client, close } = await createTestApp(api)
  const ann = await client()
  const milk = await ann.call('ADD_ITEM', { name: 'milk' })
  const eggs = await ann.http('ADD_ITEM', { name: ' eggs ', amount: 6 })
  expect(milk).toEqual({ id: 1, name: 'milk', amount: 1 })
  expect(eggs).toEqual({ id: 2, name: 'eggs', amount: 6 })
  expect(await ann.call('LIST_ITEMS')).toEqual([milk, eggs])
  expect(await ann.http('LIST_ITEMS')).toEqual([milk, eggs])
  await close()
})
