import { randomFillSync } from 'node:crypto'

const random = Buffer.alloc(4096)
let used = random.length
let lastMs = 0
let counter = 0

/**
 * A UUID of version 7 (RFC 9562, method 1 of section 6.2): milliseconds, a counter of 12 bits within one of them, 62 random bits. Ids of one
 * process are in the order in which they were made, also when its clock is set back.
 */
export function createRowId(nowMs: number): string {
  if (nowMs > lastMs) {
    lastMs = nowMs
    counter = 0
  } else {
    counter++
    if (counter > 0xfff) {
      lastMs++
      counter = 0
    }
  }
  if (used + 8 > random.length) {
    randomFillSync(random)
    used = 0
  }
  const time = Math.trunc(lastMs).toString(16).padStart(12, '0')
  const variant = (0x80 | (random.readUInt8(used) & 0x3f)).toString(16)
  const rest = random.toString('hex', used + 1, used + 8)
  used += 8
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${rest.slice(0, 2)}-${rest.slice(2)}`
}
