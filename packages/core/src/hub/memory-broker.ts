import type { Publication } from '../call/publication.ts'
import type { Broker } from './broker.ts'

/** For one process: a publication is delivered before `publish` returns. */
export function memoryBroker(): Broker {
  let deliver: (publication: Publication) => void = () => {}
  return {
    start(to) {
      deliver = to
    },
    publish: (publication) => deliver(publication),
  }
}
