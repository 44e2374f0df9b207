import { expect, it } from 'vitest'
import { BuyItemCommand } from './buy-item.command.ts'

const milk = { id: 1, name: 'milk', amount: 1, bought: false, addedBy: 'ann' }

/** The part of the repository that the command uses, with one item. */
const repositoryWith = (item: typeof milk) => ({
  getById: async () => item,
  update: async (_id: number, patch: Partial<typeof milk>) => ({ ...item, ...patch }),
})

it('buys an item', async () => {
  const command = new BuyItemCommand(repositoryWith(milk))
  expect(await command.execute({ id: 1 })).toEqual({ ...milk, bought: true })
})

it('buys nothing twice', async () => {
  const command = new BuyItemCommand(repositoryWith({ ...milk, bought: true }))
  await expect(command.execute({ id: 1 })).rejects.toMatchObject({ code: 'shopping.already_bought' })
})
