import { reply } from '../../call/reply.ts'
import { type AnyRoute, route } from '../../route/route.ts'
import type { HealthMonitor, HealthStatus } from './health.ts'

/**
 * The routes for probes. `live` only says that the process responds: an orchestrator restarts a process that is not live, which does not
 * repair a database. `ready` says that the app serves and every required check succeeds.
 */
export function createHealthRoutes(path: `/${string}`, monitor: HealthMonitor): readonly AnyRoute[] {
  // The options were checked: the path has no parameters, like the path of this type.
  const at = (below: string) => `GET ${path}${below}` as 'GET /health'
  const toStatus = (status: HealthStatus): number => (status === 'healthy' ? 200 : 503)
  return [
    route({
      summary: 'Health of the app and its dependencies',
      http: at(''),
      access: 'public',
      handler: async () => {
        const report = await monitor.report()
        return reply(report, { status: toStatus(report.status), headers: noStore })
      },
    }),
    route({
      summary: 'Liveness probe',
      http: at('/live'),
      access: 'public',
      handler: () => reply({ status: 'healthy' }, { headers: noStore }),
    }),
    route({
      summary: 'Readiness probe',
      http: at('/ready'),
      access: 'public',
      handler: async () => {
        const { status } = await monitor.report()
        return reply({ status }, { status: toStatus(status), headers: noStore })
      },
    }),
  ]
}

const noStore = { 'cache-control': 'no-store' }
