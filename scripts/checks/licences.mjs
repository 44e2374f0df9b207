// The licences of all production dependencies, as installed here.
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const allowed = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'])
/** Packages with other licences, with the reason. */
const exceptions = {
  'lru-cache': { licence: 'BlueOak-1.0.0', reason: 'permissive, with a patent grant; requires to include its text' },
  postgres: { licence: 'Unlicense', reason: 'public domain: requires less than MIT; an optional peer' },
}

const printed = execFileSync('npx', ['--yes', 'pnpm@10.34.9', 'licenses', 'list', '--json', '--prod'], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  encoding: 'utf8',
  maxBuffer: 64 * 1024 * 1024,
  stdio: ['ignore', 'pipe', 'ignore'],
})
const packages = Object.entries(JSON.parse(printed)).flatMap(([licence, each]) =>
  each.map(({ name }) => ({ name, licence })),
)
const rejected = packages.filter(({ name, licence }) => !isAllowed(licence) && exceptions[name]?.licence !== licence)
for (const { name, licence } of rejected) console.error(`licences: ${name} has ${licence}, which is not on the list`)
if (packages.length === 0) console.error('licences: no packages found')
const excepted = Object.keys(exceptions).filter((name) => packages.some((each) => each.name === name))
console.log(
  `licences: ${packages.length} packages, ${rejected.length} not allowed; exceptions: ${excepted.join(', ') || 'none'}`,
)
process.exitCode = rejected.length === 0 && packages.length > 0 ? 0 : 1

/** `(MIT OR GPL-3.0)` offers a choice; other expressions need a review. */
function isAllowed(licence) {
  return licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((each) => allowed.has(each))
}
