import { sql } from 'drizzle-orm'
import type { Environment } from '../base/environment.ts'
import type { CheckResult } from '../base/finding.ts'
import type { Database } from './database.ts'
import { checkOptions, type DatabaseOptions } from './database-options.ts'

/** What can be said of the options without connecting. */
export function checkBeforeStart(options: DatabaseOptions, environment: Environment): CheckResult | CheckResult[] {
  checkOptions(options, { environment })
  if (!options.url.startsWith('pglite:')) {
    const ok: CheckResult = { level: 'ok', message: 'The database is a PostgreSQL of its own' }
    return [ok, ...checkPgBouncer(options)]
  }
  if (environment !== 'production') return { level: 'ok', message: 'The database is embedded (PGlite)' }
  return {
    level: 'warn',
    message:
      'The database is embedded (PGlite) in production, by allowEmbedded: set a postgres:// url, and back it up until then',
  }
}

/** 6432 is PgBouncer's own port. */
function checkPgBouncer({ url, pool = {} }: DatabaseOptions): CheckResult[] {
  if (pool.pgBouncer === true || !/:6432(?:[/?,]|$)/.test(url)) return []
  return [
    {
      level: 'warn',
      message:
        'The database is at port 6432, which is that of PgBouncer: set pgBouncer: true in its pool if ' +
        'its mode is transaction',
    },
  ]
}

/** Does the server have room for the pool, in as many processes as are connected now? */
export async function checkConnections(db: Database, max: number): Promise<CheckResult> {
  const [row] = await db
    .select({
      most: sql<number>`current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int`,
      used: sql<number>`(select count(*)::int from pg_stat_activity where backend_type = 'client backend')`,
    })
    .from(sql`(select 1) as one`)
  const { most, used } = row ?? { most: 0, used: 0 }
  if (max <= most) {
    return {
      level: 'ok',
      message: `The server has room for ${most} connections, ${used} are there; the pool takes ${max} at most`,
    }
  }
  return {
    level: 'warn',
    message: `The pool may take ${max} connections, the server has room for ${most}: lower max of pool, or put a PgBouncer between`,
  }
}
