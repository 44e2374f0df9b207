import { sql } from 'drizzle-orm'
import type { Environment } from '../base/environment.ts'
import type { CheckResult } from '../base/finding.ts'
import type { Database } from './database.ts'
import { checkOptions, type DatabaseOptions } from './database-options.ts'

/** Checks of the options that need no connection. */
export function checkBeforeStart(options: DatabaseOptions, environment: Environment): CheckResult | CheckResult[] {
  const { url, pool } = checkOptions(options, environment)
  if (url === undefined) return { level: 'ok', message: 'The database is served by a custom driver' }
  if (!url.startsWith('pglite:')) {
    const ok: CheckResult = { level: 'ok', message: 'The database is a PostgreSQL server' }
    return pool.pgBouncer ? ok : [ok, ...checkPgBouncer(url)]
  }
  if (environment !== 'production') return { level: 'ok', message: 'The database is embedded (PGlite)' }
  return {
    level: 'warn',
    message:
      'The database is embedded (PGlite) in production, by allowEmbedded: set a postgres:// url; until then, make backups',
  }
}

/** 6432 is PgBouncer's default port. */
function checkPgBouncer(url: string): CheckResult[] {
  if (!/:6432(?:[/?,]|$)/.test(url)) return []
  return [
    {
      level: 'warn',
      message:
        'The database is at port 6432, the default port of PgBouncer: set pool.pgBouncer to true in database() if ' +
        'its pool_mode is transaction',
    },
  ]
}

/** Does the server accept as many connections as the pool may open? */
export async function checkConnections(db: Database, max: number): Promise<CheckResult> {
  const [row] = await db
    .select({
      max: sql<number>`current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int`,
      used: sql<number>`(select count(*)::int from pg_stat_activity where backend_type = 'client backend')`,
    })
    .from(sql`(select 1) as one`)
  const { max: available, used } = row ?? { max: 0, used: 0 }
  if (max <= available) {
    return {
      level: 'ok',
      message: `The server accepts ${available} connections, ${used} are open; the pool opens at most ${max}`,
    }
  }
  return {
    level: 'warn',
    message: `The pool may open ${max} connections, the server accepts ${available}: lower pool.max, or use a PgBouncer`,
  }
}
