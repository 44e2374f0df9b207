import type { Logger } from '@twinwire/core'
import type { CounterCell } from '@twinwire/core/plugin'
import type { RedisClient } from './redis-client.ts'

/** Receives each change of a connection. */
export interface ConnectionListener {
  /** Also after each reconnection. */
  up(): void
  /** It was lost, or the first attempt failed; not for further attempts. */
  down(reason: string): void
}

/**
 * Calls the listener once for each change. Of an error only the message is passed on: the client's errors contain the command that failed,
 * which may be the password. The returned function stops it.
 */
export function watchConnection(client: RedisClient, listener: ConnectionListener): () => void {
  let isUp: boolean | null = null
  let reason = 'it was closed'
  const onReady = (): void => {
    reason = 'it was closed'
    if (isUp === true) return
    isUp = true
    listener.up()
  }
  const onClose = (): void => {
    if (isUp === false) return
    isUp = false
    listener.down(reason)
  }
  const onError = (error: Error): void => {
    reason = error.message
    // A client that looks for its master by Sentinels reports errors, and is not closed.
    if (client.status === 'connecting') onClose()
  }
  client.on('error', onError)
  client.on('ready', onReady)
  client.on('close', onClose)
  client.on('end', onClose)
  if (client.status === 'ready') onReady()
  return () => {
    client.off('ready', onReady)
    client.off('close', onClose)
    client.off('end', onClose)
    client.off('error', onError)
    // The client may still emit errors while it closes, and an error event without a listener is thrown.
    client.on('error', ignore)
  }
}

const ignore = (): void => {}

/** Logs one line for each change. `use` is what the connection is for, if it is not for commands: ` for subscriptions`. */
export function logChanges(log: Logger, address: string, use: string): ConnectionListener {
  let wasUsed = false
  return {
    up() {
      log.info(wasUsed ? `Reconnected to Redis${use}` : `Connected to Redis${use}: ${address}`)
      wasUsed = true
    },
    down(reason) {
      log.warn({ reason }, wasUsed ? `The connection to Redis${use} was lost` : `Cannot connect to Redis${use}`)
      wasUsed = true
    },
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
