import type { Entry, HistoryPage, Position } from './broker.ts'

interface Read {
  readonly since: Position
  /** Null for a stream without history. */
  readonly page: HistoryPage | null
  /** What the node has delivered since the read began, in order. */
  readonly delivered: readonly Entry[]
  /** Of the last publication that the node has delivered. */
  readonly position: Position | null
}

/**
 * The publications between `since` and `position`, of the history and of what was delivered while it was read. Empty if the client is ahead of the
 * node. Null if they are not all there: then nothing may be sent of them.
 */
export function toMissed({ since, page, delivered, position }: Read): readonly Entry[] | null {
  if (page === null || position === null || !page.complete) return null
  if (page.position.epoch !== since.epoch || position.epoch !== since.epoch) return null
  if (page.position.offset < since.offset) return null
  const entries = page.entries.filter((entry) => entry.position.offset <= position.offset)
  const last = page.position.offset
  for (const entry of delivered) if (entry.position.offset > last) entries.push(entry)
  const isWhole = entries.every(
    ({ position: { epoch, offset } }, i) => epoch === since.epoch && offset === since.offset + 1 + i,
  )
  return isWhole && entries.length === Math.max(position.offset - since.offset, 0) ? entries : null
}
