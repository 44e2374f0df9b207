import { BaseCommand } from '@twinwire/core'
import { shoppingErrors } from './item.errors.ts'
import type { ItemRepository } from './item.repository.ts'
import type { AddItemInput, Item } from './item.schemas.ts'

const maxOpen = 100

/** Adds an item. One that is on the list already gets the amount on top. */
export class AddItemCommand extends BaseCommand<AddItemInput, Item> {
  readonly #items: ItemRepository
  readonly #addedBy: string

  constructor(items: ItemRepository, addedBy: string) {
    super()
    this.#items = items
    this.#addedBy = addedBy
  }

  async execute({ name, amount }: AddItemInput): Promise<Item> {
    const open = await this.#items.findOpen(name)
    if (open !== null) return this.#items.update(open.id, { amount: open.amount + amount })
    if ((await this.#items.count({ bought: false })) >= maxOpen)
      throw shoppingErrors.list_full(undefined, { details: { max: maxOpen } })
    return this.#items.create({ name, amount, addedBy: this.#addedBy })
  }
}
