import { isPromise } from '../base/maybe-promise.ts'
import type { Identity } from '../call/identity.ts'
import { PermissionDeniedError } from '../errors/app-error.ts'
import type { WireConnection } from './wire.ts'

/** Joins `topic` if its rule allows it. `wasAdmitted`: at the time of the call; the connection may have closed since. */
export async function joinTopic(connection: WireConnection, topic: string, wasAdmitted: boolean): Promise<void> {
  if (!wasAdmitted) throw new Error('A connection can join topics once it is admitted, not in onConnect')
  const rule = connection.shared.topics.find(topic)
  let identity: Identity | null
  do {
    // The identity may be renewed meanwhile, which checks only the topics that are joined already.
    identity = connection.identity
    if (rule === null || (await rule.authorize(identity, topic)) !== true)
      throw new PermissionDeniedError('Not allowed to join this topic')
  } while (identity !== connection.identity)
  if (connection.admitted) connection.shared.hub.join(connection, topic)
}

/**
 * Checks the rule of every joined topic again, with the new identity. Leaves topics whose rule refuses or fails. Returns a promise only
 * if a rule does.
 */
export function reauthorizeTopics(connection: WireConnection): Promise<void> | undefined {
  const pending: Promise<void>[] = []
  const keep = (topic: string, allowed: unknown): void => {
    if (allowed !== true) connection.leave(topic)
  }
  const failed = (topic: string, error: unknown): void => {
    connection.shared.services.log.error({ err: error, topic }, 'A topic rule failed')
    connection.leave(topic)
  }
  for (const topic of connection.topics) {
    try {
      const allowed = connection.shared.topics.find(topic)?.authorize(connection.identity, topic)
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
