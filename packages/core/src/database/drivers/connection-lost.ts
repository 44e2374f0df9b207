/** An error such as postgres.js makes. */
export function connectionLost(code: 'CONNECTION_CLOSED' | 'CONNECTION_ENDED' = 'CONNECTION_CLOSED'): Error {
  return Object.assign(new Error('The connection to the database is closed'), { code })
}
