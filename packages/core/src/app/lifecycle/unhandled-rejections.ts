import type { Rejections } from '../../call/rejections.ts'

/** Apps that are listening, in order of start. They share one process listener. */
const listening = new Set<Rejections>()

function onUnhandledRejection(reason: unknown): void {
  // A rejection belongs to the process, not to one app: only the first app logs it.
  for (const rejections of listening) return rejections.unhandled(reason)
}

/**
 * Logs unhandled rejections of the application instead of letting Node end the process. Other listeners of the process are still called.
 * Returns a function that stops it; after the last one is stopped, Node's default applies again.
 */
export function logUnhandledRejections(rejections: Rejections): () => void {
  if (listening.size === 0) process.on('unhandledRejection', onUnhandledRejection)
  listening.add(rejections)
  return () => {
    if (listening.delete(rejections) && listening.size === 0) process.off('unhandledRejection', onUnhandledRejection)
  }
}
