import { addItem, buyItem, listItems } from './items/item.routes.ts'
import { PkgID } from './pkg-ids.ts'

/** What clients can call. The app serves it, and tests do. */
export const api = {
  pkgIds: PkgID,
  routes: { LIST_ITEMS: listItems, ADD_ITEM: addItem, BUY_ITEM: buyItem },
} as const
