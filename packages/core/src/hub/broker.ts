import type { Publication } from '../call/publication.ts'

/** Carries publications between the processes of an app. */
export interface Broker {
  /** Called once, before anything is published. `deliver` hands a publication to the connections of this process. */
  start(deliver: (publication: Publication) => void): void
  /** At most once, in order for each topic and process. A promise it returns is not waited for; its failure is logged. */
  publish(publication: Publication): void
}
