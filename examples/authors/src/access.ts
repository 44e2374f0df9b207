// `npm run access` prints the access of every route, and fails when the routes that are public, or that require no role, differ from
// ../access.txt: so such a route exists on purpose. `-- --update` writes the file.
import { readFile, writeFile } from 'node:fs/promises'
import { BootError, type RouteDescription } from '@twinwire/core'
import { readReadyApp } from './ready-app.ts'

const file = new URL('../access.txt', import.meta.url)

function rolesOf({ steps }: RouteDescription): string {
  return steps
    .flatMap(({ demands: { roles = [], anyRole = [] } }) => [
      ...roles,
      ...(anyRole.length > 0 ? [anyRole.join(' | ')] : []),
    ])
    .join(', ')
}

const nameOf = ({ name, http }: RouteDescription): string =>
  http === null || http === name ? name : `${http} (${name})`

/** One line for each route that requires no role, endpoints of plugins included. */
function toOpenRoutes(routes: readonly RouteDescription[]): string {
  const open = routes.filter((route) => route.access === 'public' || rolesOf(route) === '')
  return open
    .map((route) => `${route.access === 'public' ? 'public' : 'authenticated'}  ${nameOf(route)}\n`)
    .sort()
    .join('')
}

function toTable(routes: readonly RouteDescription[]): string {
  const rows = routes.map((route) => [route.access, rolesOf(route) || '-', String(route.pkgId ?? '-'), nameOf(route)])
  const lines = [['access', 'roles', 'pkg_id', 'route'], ...rows]
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

async function main(): Promise<void> {
  const { routes } = await readReadyApp((app) => app.describe())
  console.log(toTable(routes))
  const found = toOpenRoutes(routes)
  if (process.argv.includes('--update')) return writeFile(file, found)
  const expected = await readFile(file, 'utf8')
  if (expected === found) return
  throw new BootError(
    'bad_route',
    `\nThe routes that require no role differ from access.txt: add a role to them, or run this with --update.\nFound:\n${found}Expected:\n${expected}`,
  )
}

main().catch((error: unknown) => {
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
