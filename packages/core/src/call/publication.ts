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
