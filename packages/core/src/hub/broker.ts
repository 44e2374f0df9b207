/** Whom a publication is for. */
export type Audience =
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'identity'; readonly identityId: string }
  | { readonly kind: 'all' }

/** One event on its way, in its JSON form: what a broker can carry to another process. */
export interface Publication {
  readonly audience: Audience
  readonly pkgId: number
  readonly data: unknown
}

/** Carries publications between the processes of an app. */
export interface Broker {
  /** Called once, before anything is published. `deliver` hands a publication to the connections of this process. */
  start(deliver: (publication: Publication) => void): void
  /** At most once, in order for each topic and process. A promise it returns is not waited for; its failure is logged. */
  publish(publication: Publication): void
}
