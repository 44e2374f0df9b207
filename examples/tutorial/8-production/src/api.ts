import { addItem, buyItem, itemChanged, listItems } from './items/item.routes.ts'
import { topics } from './items/item.topics.ts'
import { PkgID } from './pkg-ids.ts'

/** What clients can call, and what they are told. The app serves it, and tests do. */
export const api = {
  pkgIds: PkgID,
  routes: { LIST_ITEMS: listItems, ADD_ITEM: addItem, BUY_ITEM: buyItem },
  events: { ITEM_CHANGED: itemChanged },
  topics,
} as const
