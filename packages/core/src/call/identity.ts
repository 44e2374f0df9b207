/** Who is calling. One plugin determines it; limits, metrics and audit read it. The owner may return objects with more properties. */
export interface Identity {
  /** The same for every login: connections, limits and `sendTo` use it. */
  readonly id: string
  /** For people: logs, audit. */
  readonly name: string
  /** Of the login session: `hub.disconnect({ session })` finds its connections by it. Null or left out without one. */
  readonly sessionId?: string | null
}
