/** Who is calling. One plugin owns it; limits, metrics and audit read it. An owner may hand out objects that carry more. */
export interface Identity {
  /** Stable over logins: sockets, limits and `sendTo` go by it. */
  readonly id: string
  /** For people: logs, audit. */
  readonly name: string
}
