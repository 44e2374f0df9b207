// The memory broker, with a list of what it took, that can refuse or hold publications.
import { memoryBroker } from '@twinwire/core'
import type { Broker, Publication } from '@twinwire/core/transport'

export interface Taken {
  readonly publication: Publication
  readonly key: string | null
}

export interface RecordingBroker {
  readonly broker: Broker
  /** In order, those with a known key too. */
  readonly taken: readonly Taken[]
  /** Runs before each publication: throw to refuse it, or return a promise to hold it. */
  before: (publication: Publication) => void | Promise<void>
}

export function recordingBroker(taken: Taken[] = []): RecordingBroker {
  const inner = memoryBroker()
  const recording: RecordingBroker = {
    taken,
    before: () => {},
    broker: new Proxy(inner, {
      get(target, name: keyof Broker) {
        if (name !== 'publish') {
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        }
        return async (...[publication, history, key]: Parameters<Broker['publish']>) => {
          await recording.before(publication)
          taken.push({ publication, key })
          return inner.publish(publication, history, key)
        }
      },
    }),
  }
  return recording
}
