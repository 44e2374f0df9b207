/** The number of each kind of message. A number that clients use never changes its meaning. */
export const PkgID = {
  LIST_ITEMS: 1,
  ADD_ITEM: 2,
  BUY_ITEM: 3,
  ITEM_CHANGED: 100,
} as const
