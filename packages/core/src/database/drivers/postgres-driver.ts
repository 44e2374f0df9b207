import { BootError } from '../../base/boot-error.ts'
import { missingPeer } from '../../base/peer.ts'
import type { ConnectionSource } from './connection-source.ts'
import type { DriverContext } from './driver.ts'
import { type CreateClient, PostgresConnection } from './postgres-connection.ts'
import { useRawText } from './postgres-results.ts'
import { startParameters, toSetCommands } from './session-settings.ts'

/** Statements that a connection prepares. They take memory of the server, and a server of many apps has many connections. */
const maxPrepared = 100

/**
 * PostgreSQL over the network or a socket, by postgres.js. Not a `DatabaseDriver`: postgres.js cannot connect without a statement, and which
 * statement was sent, and which was prepared, only its connection knows.
 */
export async function openPostgres(url: string, { pool, log, clock }: DriverContext): Promise<ConnectionSource> {
  const { default: postgres } = await import('postgres').catch(
    missingPeer('postgres', "database() requires the package 'postgres' for this url"),
  )
  const { connectTimeoutMs, statementTimeoutMs, applicationName, pgBouncer } = pool
  const clientsOf =
    (session: Record<string, string | number>): CreateClient =>
    (more) => {
      const client = postgres(url, {
        connect_timeout: connectTimeoutMs / 1000,
        // Its default prints.
        onnotice: (notice) => log.debug({ notice: notice.message }, 'Notice of the database'),
        connection: { application_name: applicationName, ...startParameters(pgBouncer), ...session },
        ...more,
      })
      useRawText(client.options)
      return client
    }
  // PgBouncer refuses a connection with a start parameter that it does not know.
  const timeout = pgBouncer || statementTimeoutMs === 0 ? {} : { statement_timeout: statementTimeoutMs }
  const timed = clientsOf(timeout)
  const untimed = clientsOf({})
  return {
    location: toLocation(untimed),
    embedded: false,
    atBegin: pgBouncer ? toSetCommands('local') : '',
    create: (onStale) =>
      new PostgresConnection(timed, {
        clock,
        statementTimeoutMs: pgBouncer ? statementTimeoutMs : 0,
        maxPrepared: pgBouncer ? 0 : maxPrepared,
        onStale,
      }),
    createUntimed: () =>
      new PostgresConnection(untimed, { clock, statementTimeoutMs: 0, maxPrepared: 0, onStale: () => {} }),
    close: async () => {},
  }
}

/** As postgres.js reads the url. Clients connect at their first statement: this one has none. */
function toLocation(createClient: CreateClient): string {
  try {
    const { host, port, path, database } = createClient({}).options
    // The path of a socket takes the place of host and port.
    const servers = path ? [path] : host.map((name, index) => `${name}:${port[index]}`)
    return `${servers.join(',')}/${database}`
  } catch {
    // Without its cause, which quotes the url and with it the password.
    throw new BootError('bad_option', 'database(): url is not valid: write postgres://user:password@host:5432/name')
  }
}
