import { isPromise } from '../base/maybe-promise.ts'
import type { WebSocketConnection } from './connection.ts'

/**
 * Asks the rule of every joined topic once more, for the identity the connection has now, and leaves where it says no or fails.
 * A promise only when some rule answers by one.
 */
export function authorizeAgain(connection: WebSocketConnection): Promise<void> | undefined {
  const pending: Promise<void>[] = []
  const keep = (topic: string, allowed: unknown): void => {
    if (allowed !== true) connection.leave(topic)
  }
  const failed = (topic: string, error: unknown): void => {
    connection.shared.services.log.error({ err: error, topic }, 'The rule of a topic failed')
    connection.leave(topic)
  }
  for (const topic of connection.topics) {
    try {
      const allowed = connection.shared.findTopicRule(topic)?.authorize(connection.identity, topic)
      if (isPromise(allowed))
        pending.push(
          allowed.then(
            (answer) => keep(topic, answer),
            (error) => failed(topic, error),
          ),
        )
      else keep(topic, allowed)
    } catch (error) {
      failed(topic, error)
    }
  }
  return pending.length === 0 ? undefined : Promise.all(pending).then(() => undefined)
}
