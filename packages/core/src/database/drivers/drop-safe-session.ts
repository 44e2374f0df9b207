import type { PgPreparedQuery, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import { dropSafe, warnOfDropped } from '../../base/drop-safe.ts'
import type { Database } from '../database.ts'
import type { Scope } from './scope.ts'

/** Makes a promise safe to be dropped before an application receives it; its failure is then logged on behalf of `scope`. */
export type DropSafe = <T>(work: Promise<T>, name: string, scope: Scope | null) => Promise<T>

/** For work without an app: a failure that nothing handles is a warning of the process. */
export const dropSafeAlone: DropSafe = (work, name) => dropSafe(work, name, warnOfDropped)

/** A drizzle session of this package: it knows on whose behalf it runs. */
export interface DropSafeSession {
  dropSafe<T>(work: Promise<T>, name: string): Promise<T>
}

const foreign: DropSafeSession = { dropSafe: (work, name) => dropSafeAlone(work, name, null) }

/** The session of a handle, which may be a drizzle handle that the application has created itself. */
export function sessionOf(db: Database): DropSafeSession {
  const session: object = db._.session
  return isDropSafe(session) ? session : foreign
}

function isDropSafe(session: object): session is DropSafeSession {
  return 'dropSafe' in session
}

/** `execute` of a query builder starts at once and returns a promise; its `then` runs the same way. */
export function dropSafeQuery<T extends PreparedQueryConfig>(
  query: PgPreparedQuery<T>,
  session: DropSafeSession,
): PgPreparedQuery<T> {
  const execute = query.execute.bind(query)
  query.execute = (values) => session.dropSafe(execute(values), 'db.execute')
  return query
}
