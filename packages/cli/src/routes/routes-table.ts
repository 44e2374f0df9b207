import type { Described } from '../project/app-task.ts'
import { toAccess, toLimits, toStepNames } from './route-facts.ts'

/** One line for each route and event. */
export function toRoutesTable({ routes, events }: Described): string {
  const head = ['pkg_id', 'name', 'http', 'access', 'steps', 'limits']
  const rows = routes.map((route) => [
    String(route.pkgId ?? '-'),
    // An endpoint is named by its path.
    route.name === route.http ? '-' : route.name,
    route.http ?? '-',
    toAccess(route),
    toStepNames(route) || '-',
    toLimits(route) || '-',
  ])
  const sent = events.map(({ pkgId, name }) => [String(pkgId), name, '-', 'event', '-', '-'])
  const lines = [head, ...rows, ...sent]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) => `${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .map((line) => `${line}\n`)
    .join('')
}
