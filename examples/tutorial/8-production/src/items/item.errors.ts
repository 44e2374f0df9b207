import { defineErrors } from '@twinwire/core'

/** What can go wrong in this application. The codes are `shopping.already_bought` and so on, on both wires. */
export const shoppingErrors = defineErrors('shopping', {
  already_bought: { httpStatus: 409, message: 'This has been bought already' },
  list_full: { httpStatus: 409, message: 'The list is full: buy something first' },
})
