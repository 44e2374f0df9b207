import { BaseCommand } from '@twinwire/core'
import { shoppingErrors } from './item.errors.ts'
import type { ItemRepository } from './item.repository.ts'
import type { Item, ItemIdInput } from './item.schemas.ts'

export class BuyItemCommand extends BaseCommand<ItemIdInput, Item> {
  readonly #items: Pick<ItemRepository, 'getById' | 'update'>

  constructor(items: Pick<ItemRepository, 'getById' | 'update'>) {
    super()
    this.#items = items
  }

  async execute({ id }: ItemIdInput): Promise<Item> {
    // Throws a NotFoundError for an id without a row.
    const item = await this.#items.getById(id)
    if (item.bought) throw shoppingErrors.already_bought(`'${item.name}' has been bought already`)
    return this.#items.update(id, { bought: true })
  }
}
