import { type Access, type AnyEndpoint, AppError, DatabaseError, pageOf, route } from '@twinwire/core'
import { type DatabaseApi, transaction, withDb } from '@twinwire/core/database'
import {
  type AccessOnApp,
  addGuardedEndpoint,
  openEndpointPort,
  type PluginHost,
  PortRoutes,
} from '@twinwire/core/plugin'
import { type AuditAccess, names, owner, type ResolvedAuditOptions } from '../options.ts'
import { AuditLogIdInput, AuditLogSchema, AuditLogsInput } from './audit-log-schemas.ts'
import { readAuditLog, readAuditLogs, readingMode } from './read-audit-logs.ts'

type Path = `/${string}`

/**
 * `GET /audit-logs`, `/audit-logs/:log_id` and `/audit-logs/user/:user_id`, on the app, where reading is a call like any other, or on a port of
 * their own.
 */
export function serveAuditLogs(
  host: PluginHost,
  { access, path }: Pick<ResolvedAuditOptions, 'access' | 'path'>,
  database: () => DatabaseApi,
): void {
  if (access === 'public' || !('port' in access)) return serveOnApp(host, access, path)
  serveOnPort(host, access, path, database)
}

function serveOnApp(host: PluginHost, access: AccessOnApp, path: Path): void {
  const add = (at: Path, create: (at: Path, access: Access) => AnyEndpoint): void =>
    addGuardedEndpoint(host, at, access, names, (ofRoute) => create(at, ofRoute))
  add(path, listRoute('Calls that were recorded, newest first'))
  add(`${path}/:log_id`, (at, ofRoute) =>
    route({
      summary: 'One recorded call',
      http: { route: `GET ${at}` },
      access: ofRoute,
      use: [withDb()],
      input: AuditLogIdInput,
      output: AuditLogSchema,
      handler: (input, { db, replyHeaders }) => {
        replyHeaders.set('cache-control', 'no-store')
        return readAuditLog(db, input)
      },
    }),
  )
  add(`${path}/user/:user_id`, listRoute('Calls of one user, newest first'))
}

function listRoute(summary: string): (at: Path, access: Access) => AnyEndpoint {
  return (at, access) =>
    route({
      summary,
      http: { route: `GET ${at}` },
      access,
      use: [transaction(readingMode)],
      input: AuditLogsInput,
      output: pageOf(AuditLogSchema),
      handler: (input, { db, replyHeaders }) => {
        replyHeaders.set('cache-control', 'no-store')
        return readAuditLogs(db, input)
      },
    })
}

function serveOnPort(
  host: PluginHost,
  { port, host: address = '127.0.0.1' }: Exclude<AuditAccess, AccessOnApp>,
  path: Path,
  database: () => DatabaseApi,
): void {
  // All workers of a cluster read the same table.
  if (host.worker !== null && host.worker.id !== 1) return
  const { clock, log } = host
  let closing = async (): Promise<void> => {}
  host.onReady(async () => {
    const routes = new PortRoutes({ clock, log, unknownKeys: host.describe().unknownKeys })
    const readList = (input: AuditLogsInput, signal: AbortSignal) =>
      asDatabaseError(
        database().transaction((tx) => readAuditLogs(tx, input), { ...readingMode, call: { signal, log } }),
      )
    routes.get(path, AuditLogsInput, readList)
    routes.get(`${path}/:log_id`, AuditLogIdInput, (input, signal) =>
      asDatabaseError(readAuditLog(database().forCall({ signal, log }), input)),
    )
    routes.get(`${path}/user/:user_id`, AuditLogsInput, readList)
    const server = await openEndpointPort({
      owner,
      host: address,
      port,
      clock,
      answer: (request, response) => routes.answer(request, response),
    })
    closing = () => server.close()
    const name = address.includes(':') ? `[${address}]` : address
    log.info({ url: `http://${name}:${server.port}${path}` }, 'Serving the audit log')
  })
  host.onClose(() => closing())
}

/** On the app core does this. */
async function asDatabaseError<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (error) {
    throw AppError.is(error) ? error : new DatabaseError({ cause: error })
  }
}
