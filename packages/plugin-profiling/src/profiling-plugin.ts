import process from 'node:process'
import { type Access, type AnyEndpoint, attachment, type Plugin, reply, route } from '@twinwire/core'
import {
  type AccessOnApp,
  addGuardedEndpoint,
  type CounterCell,
  definePlugin,
  describeEndpointAccess,
  openEndpointPort,
  type PluginHost,
  PortRoutes,
  pluginKey,
} from '@twinwire/core/plugin'
import * as v from 'valibot'
import {
  names,
  owner,
  type ProfilingOptions,
  type ResolvedProfilingOptions,
  resolveProfilingOptions,
} from './options.ts'
import { type Profile, type ProfileKind, Profiler } from './profiler.ts'

const kinds = ['cpu', 'heap'] as const
const summaries = { cpu: 'A CPU profile of this process', heap: 'Where this process allocates' } as const
/** What a profile may take beside its time: stopping it, and writing it as JSON. */
const graceMs = 30_000

const profilingKey = pluginKey('profiling').of<void>()

type Take = (kind: ProfileKind, seconds: number, signal: AbortSignal) => Promise<Profile>

/**
 * Takes CPU profiles and sampling heap profiles of the running process: `GET /profiling/cpu?seconds=10` and `GET /profiling/heap?seconds=10` answer
 * with what the developer tools of Chromium open. One at a time; it ends when its caller disconnects or the app drains. There are no
 * snapshots of the heap, which hold the tokens and the data of callers.
 *
 * Boot errors: `bad_option`, `unknown_option`, `unavailable_port`.
 *
 * @example
 * profiling({ access: { use: [requireRoles('admin')] } })
 */
export function profiling(options: ProfilingOptions): Plugin<void> {
  return definePlugin(profilingKey, {
    doctor(host) {
      host.doctor('profiling', () => {
        const { access, path } = resolveProfilingOptions(options, host.environment)
        return { level: 'ok', message: `${path} is served ${describeEndpointAccess(access)}` }
      })
    },
    setup(host) {
      const resolved = resolveProfilingOptions(options, host.environment)
      const take = counted(host, new Profiler())
      const { access } = resolved
      if (access === 'public' || !('port' in access)) serveOnApp(host, resolved, access, take)
      else serveOnPort(host, resolved, access, take)
    },
  })
}

function counted({ instruments, log }: PluginHost, profiler: Profiler): Take {
  const taken = instruments.counter('profiles_total', 'Profiles that were taken', { kind: kinds })
  const cells: Readonly<Record<ProfileKind, CounterCell>> = {
    cpu: taken.cell({ kind: 'cpu' }),
    heap: taken.cell({ kind: 'heap' }),
  }
  return async (kind, seconds, signal) => {
    const profile = await profiler.take(kind, seconds, signal)
    cells[kind].inc()
    log.info({ kind, seconds }, 'A profile was taken')
    return profile
  }
}

function toInput(maxSeconds: number) {
  const seconds = v.pipe(v.number(), v.minValue(0.1), v.maxValue(maxSeconds))
  return v.strictObject({ seconds: v.optional(seconds, Math.min(10, maxSeconds)) })
}

function serveOnApp(
  host: PluginHost,
  { path, maxSeconds }: ResolvedProfilingOptions,
  access: AccessOnApp,
  take: Take,
): void {
  const create = (kind: ProfileKind, ofRoute: Access): AnyEndpoint =>
    route({
      summary: summaries[kind],
      http: { route: `GET ${path}/${kind}`, compression: false },
      access: ofRoute,
      deadlineMs: maxSeconds * 1000 + graceMs,
      input: toInput(maxSeconds),
      handler: async ({ seconds }, call) => {
        const profile = await take(kind, seconds, call.signal)
        const headers = {
          'content-type': 'application/json',
          'content-disposition': attachment(toFileName(kind)),
          'cache-control': 'no-store',
        }
        return reply.text(JSON.stringify(profile), { headers })
      },
    })
  for (const kind of kinds)
    addGuardedEndpoint(host, `${path}/${kind}`, access, names, (ofRoute) => create(kind, ofRoute))
}

/** Of the worker, in a cluster. */
function toFileName(kind: ProfileKind): string {
  const time = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  return `${process.pid}-${time}.${kind}profile`
}

function serveOnPort(
  host: PluginHost,
  { path, maxSeconds }: ResolvedProfilingOptions,
  { port, host: address = '127.0.0.1' }: { readonly port: number; readonly host?: string | undefined },
  take: Take,
): void {
  // One worker of a cluster has the port, and profiles itself.
  if (host.worker !== null && host.worker.id !== 1) return
  const { clock, log } = host
  let closing = async (): Promise<void> => {}
  host.onReady(async () => {
    const routes = new PortRoutes({ clock, log, deadlineMs: maxSeconds * 1000 + graceMs })
    for (const kind of kinds)
      routes.get(`${path}/${kind}`, toInput(maxSeconds), ({ seconds }, signal) => take(kind, seconds, signal))
    const server = await openEndpointPort({
      owner,
      host: address,
      port,
      clock,
      answer: (request, response) => routes.answer(request, response),
    })
    closing = () => server.close()
    const name = address.includes(':') ? `[${address}]` : address
    log.info({ url: `http://${name}:${server.port}${path}` }, 'Serving profiles')
  })
  host.onClose(() => closing())
}
