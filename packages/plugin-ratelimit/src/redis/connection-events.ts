import type { Logger } from '@twinwire/core'
import type { CounterCell } from '@twinwire/core/plugin'
import type { RedisClient } from './redis-client.ts'

/**
 * Logs one line for each change: connected, lost, connected again; failed attempts in between are not logged. Of an error only the message
 * is logged: the client's errors contain the command that failed, which may be the password. The returned function stops logging.
 */
export function logConnectionChanges(client: RedisClient, address: string, log: Logger): () => void {
  let isUp: boolean | null = null
  let reason = 'it was closed'
  const onError = (error: Error): void => {
    reason = error.message
  }
  const onReady = (): void => {
    if (isUp !== true) log.info(isUp === null ? `Connected to Redis: ${address}` : 'Reconnected to Redis')
    isUp = true
    reason = 'it was closed'
  }
  const onClose = (): void => {
    if (isUp !== false)
      log.warn({ reason }, isUp === null ? 'Cannot connect to Redis' : 'The connection to Redis was lost')
    isUp = false
  }
  client.on('error', onError)
  client.on('ready', onReady)
  client.on('close', onClose)
  if (client.status === 'ready') onReady()
  return () => {
    client.off('ready', onReady)
    client.off('close', onClose)
    // The error listener stays: the client may still emit errors while it closes, and an error event without a listener is thrown.
  }
}

/** Counts the connections that are opened: the one to a server, or those to each node of a cluster. The returned function stops it. */
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
