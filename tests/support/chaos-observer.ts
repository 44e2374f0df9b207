import { createTestApp } from '@twinwire/core/testing'
import { chaosBroker, chaosPkgIds, chaosTopics, type Mark, marked } from './chaos-shared.ts'

/** A node without a database that is never killed, with a client that has subscribed to topics. */
export interface ChaosObserver {
  /** The next events, in order. */
  take(count: number): Promise<readonly Mark[]>
  close(): Promise<void>
}

export async function startChaosObserver(
  redis: { readonly url: string; readonly prefix: string },
  topics: readonly string[],
): Promise<ChaosObserver> {
  const app = await createTestApp({
    pkgIds: { MARKED: chaosPkgIds.MARKED },
    routes: {},
    events: { MARKED: marked },
    topics: chaosTopics,
    broker: chaosBroker(redis.url, redis.prefix),
    defaultAccess: 'public',
  })
  const client = await app.client()
  for (const topic of topics) await client.subscribe(topic)
  return {
    take: async (count) => {
      const events: Mark[] = []
      while (events.length < count) events.push(await client.nextEvent('MARKED', 30_000))
      return events
    },
    close: () => app.close(),
  }
}
