import { reply } from '../../call/reply.ts'
import { type AnyRoute, route } from '../../route/route.ts'
import type { HealthMonitor, HealthStatus } from './health.ts'

/**
 * The routes that probes ask. `live`: the process answers, and nothing else; an orchestrator restarts what is not, and a restart
 * heals no database. `ready`: the app serves and every check succeeds. They are apart from one another in that alone.
 */
export function createHealthRoutes(path: `/${string}`, monitor: HealthMonitor): readonly AnyRoute[] {
  // The path is plain, as the options were checked to be: to the types it stands for one without parameters.
  const at = (below: string) => `GET ${path}${below}` as 'GET /health'
  const toStatus = (status: HealthStatus): number => (status === 'healthy' ? 200 : 503)
  return [
    route({
      summary: 'Is the service able to work?',
      http: at(''),
      access: 'public',
      handler: async () => {
        const report = await monitor.report()
        return reply(report, { status: toStatus(report.status), headers: noStore })
      },
    }),
    route({
      summary: 'Does the process answer?',
      http: at('/live'),
      access: 'public',
      handler: () => reply({ status: 'healthy' }, { headers: noStore }),
    }),
    route({
      summary: 'May requests be sent here?',
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
