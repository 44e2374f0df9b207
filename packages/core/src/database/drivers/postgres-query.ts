import type { Sql } from 'postgres'
import { isStalePlan, toFailure } from '../errors.ts'
import type { Backend, CancelTarget } from './cancel-request.ts'

/** postgres.js keeps it on a query that it has sent. */
export function backendOf(pending: object): Backend | null {
  const state: unknown = 'state' in pending ? pending.state : null
  if (typeof state !== 'object' || state === null || !('pid' in state) || !('secret' in state)) return null
  const { pid, secret } = state
  return typeof pid === 'number' && typeof secret === 'number' ? { pid, secret } : null
}

/**
 * postgres.js sets `state` when it has a connection for a query, and `describeFirst` until the server has described its parameters, which is
 * before it executes it. Bytes that it buffers until the end of the event loop turn count as sent, because it does not expose them.
 */
export function wasSent(pending: object): boolean {
  const isWaiting = 'state' in pending && pending.state === null
  return !isWaiting && !('describeFirst' in pending && pending.describeFirst === true)
}

/** postgres.js marks a query whose prepared statement the server refused, so that it has prepared it again. */
export function wasPreparedAgain(pending: object): boolean {
  return 'retried' in pending && pending.retried !== undefined
}

/**
 * An option that the types of postgres.js lack, for a query with others behind it. postgres.js sends a prepared query that the server refuses once
 * more, behind all that it has sent since: behind a COMMIT that is outside of the transaction. With this option it does not.
 */
export function notAgain(query: () => object): { readonly onexecute: () => true } {
  return {
    onexecute: () => {
      Object.assign(query(), { prepared: false })
      return true
    },
  }
}

/** postgres.js has an option that its types lack. */
export function toTarget(options: Sql['options'] & { readonly sslnegotiation?: unknown }): CancelTarget {
  const { host, port, path, ssl, sslnegotiation } = options
  return { host, port, path, ssl, sslnegotiation: sslnegotiation === 'direct' ? 'direct' : null }
}

/**
 * May the server work by a form of the statement that is out of date? `hasSucceeded`: it has before, so that an error of types says the same.
 * 42P05: the session is that of another process too, by a pooler that this one does not know of, and the name is taken.
 */
export function mayBeStale(error: unknown, hasSucceeded: boolean): boolean {
  const failure = toFailure(error)
  if (isStalePlan(failure) || failure.code === '42P05') return true
  return hasSucceeded && ['42804', '42846', '42883'].includes(failure.code)
}
