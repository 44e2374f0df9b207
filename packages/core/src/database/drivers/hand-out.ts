import type { PgPreparedQuery, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import { dropSafe, warnOfDropped } from '../../base/drop-safe.ts'
import type { Database } from '../database.ts'
import type { Scope } from './scope.ts'

/** Makes a promise safe to be dropped before an application gets it; its failure is then told of on behalf of `scope`. */
export type HandOut = <T>(work: Promise<T>, name: string, scope: Scope | null) => Promise<T>

/** For what runs without an app: a failure that nothing handles is a warning of the process. */
export const handOutAlone: HandOut = (work, name) => dropSafe(work, name, warnOfDropped)

/** A session of drizzle that is one of ours: it knows on whose behalf it runs. */
export interface HandsOut {
  handOut<T>(work: Promise<T>, name: string): Promise<T>
}

const foreign: HandsOut = { handOut: (work, name) => handOutAlone(work, name, null) }

/** Who hands out what a repository on `db` makes. A handle may be one that the application has made itself. */
export function handsOutOf(db: Database): HandsOut {
  const session: object = db._.session
  return isHandsOut(session) ? session : foreign
}

function isHandsOut(session: object): session is HandsOut {
  return 'handOut' in session
}

/** `execute` of a query builder begins at once and gives a promise; its `then` runs by the same way. */
export function handOutQuery<T extends PreparedQueryConfig>(
  query: PgPreparedQuery<T>,
  session: HandsOut,
): PgPreparedQuery<T> {
  const execute = query.execute.bind(query)
  query.execute = (values) => session.handOut(execute(values), 'db.execute')
  return query
}
