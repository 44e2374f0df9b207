import type { Logger } from '@twinwire/core'
import type { CounterCell } from '@twinwire/core/plugin'
import type { RedisClient } from './redis-client.ts'

/**
 * Writes one line for each change: connected, lost, connected again. Attempts in between say nothing. Of an error only the message is
 * written: the client's errors carry the command that failed, which may be the password.
 */
export function watchLink(client: RedisClient, place: string, log: Logger): () => void {
  let isUp: boolean | null = null
  let reason = 'it was closed'
  const onError = (error: Error): void => {
    reason = error.message
  }
  const onReady = (): void => {
    if (isUp !== true) log.info(isUp === null ? `Redis: ${place}` : 'Redis is connected again')
    isUp = true
    reason = 'it was closed'
  }
  const onClose = (): void => {
    if (isUp !== false)
      log.warn({ reason }, isUp === null ? 'Redis cannot be reached' : 'The connection to Redis is lost')
    isUp = false
  }
  client.on('error', onError)
  client.on('ready', onReady)
  client.on('close', onClose)
  if (client.status === 'ready') onReady()
  return () => {
    client.off('ready', onReady)
    client.off('close', onClose)
    // Not that of errors: while it is closed there may still be some, and nobody listening to them is an exception.
  }
}

/** Counts what is opened: the one connection to a server, or one to each node. */
export function countConnections(client: RedisClient, created: CounterCell): () => void {
  const count = (): void => created.inc()
  if (!client.isCluster) {
    client.on('connect', count)
    return () => void client.off('connect', count)
  }
  const watch = (node: { on(event: 'connect', listener: () => void): unknown }): void => void node.on('connect', count)
  for (const node of client.nodes?.() ?? []) watch(node)
  client.on('+node', watch)
  return () => void client.off('+node', watch)
}
