import type { MaybePromise } from '../base/maybe-promise.ts'
import type { Publication } from '../call/publication.ts'

/** Sends publications to all processes of an app. */
export interface Broker {
  /** Called once, before the first publication. `deliver` sends a publication to the connections of this process. */
  start(deliver: (publication: Publication) => void): void
  /** At most once, in order per topic and process. A returned promise is not awaited; if it rejects, that is logged. */
  publish(publication: Publication): MaybePromise<void>
}
