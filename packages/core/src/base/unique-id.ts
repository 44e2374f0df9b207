import { randomUUID } from 'node:crypto'

/** All ids of one block have the same first 34 characters; the last two are looked up. */
const blockSize = 256
const lastDigits: readonly string[] = Array.from({ length: blockSize }, (_, i) => i.toString(16).padStart(2, '0'))

let blockPrefix = ''
/** Index in the block: the first id begins a block. */
let next = blockSize

/**
 * A new id in the form of a UUID of version 4. Its 114 random bits are those of a block of 256 ids, which are counted: unique without a
 * coordinator, at a small part of the price of a random UUID, and as a string of two parts, the first of which ids share. The ids
 * of other processes cannot be guessed, but the next one of the same process can: it is a name and never a secret.
 *
 * @example
 * createId() // '1b4e28ba-2fa1-4d3b-a3f5-ef19b5a76b00'
 * createId() // '1b4e28ba-2fa1-4d3b-a3f5-ef19b5a76b01'
 */
export function createId(): string {
  const digits = lastDigits[next]
  if (digits === undefined) {
    blockPrefix = randomUUID().slice(0, -2)
    next = 0
    return createId()
  }
  next++
  return blockPrefix + digits
}
