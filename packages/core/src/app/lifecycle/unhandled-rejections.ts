import process from 'node:process'
import type { Rejections } from '../../call/rejections.ts'

/** Of the apps that listen, in the order in which they began: one listener of the process serves all. */
const listening = new Set<Rejections>()

function hear(reason: unknown): void {
  // It belongs to the process and not to one app: a line of each would be the same line twice.
  for (const rejections of listening) return rejections.unhandled(reason)
}

/**
 * Keeps the process when a promise of the application fails that nothing handles: Node would end it. Other listeners of the
 * process are called as ever, and one of them may still end it. Returns what stops it; after the last the process is as it was.
 */
export function keepOnUnhandledRejection(rejections: Rejections): () => void {
  if (listening.size === 0) process.on('unhandledRejection', hear)
  listening.add(rejections)
  return () => {
    if (listening.delete(rejections) && listening.size === 0) process.off('unhandledRejection', hear)
  }
}
