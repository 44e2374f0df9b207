import type { Publication } from '../call/publication.ts'
import type { Broker } from './broker.ts'

/** A broker for a single process. Publications are delivered before `publish` returns. */
export function memoryBroker(): Broker {
  let deliver: (publication: Publication) => void = () => {}
  return {
    start(to) {
      deliver = to
    },
    publish: (publication) => deliver(publication),
  }
}
