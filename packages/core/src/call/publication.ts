/** The receivers of a publication. */
export type Audience =
  | { readonly kind: 'topic'; readonly topic: string }
  | { readonly kind: 'identity'; readonly identityId: string }
  | { readonly kind: 'all' }

/** One event in its JSON form: what a broker sends to other processes. */
export interface Publication {
  readonly audience: Audience
  readonly pkgId: number
  readonly data: unknown
  /** `req_id` of the call that published it; null outside of a call. */
  readonly cause: string | null
}
