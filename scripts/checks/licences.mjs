// The licences of everything that an installation for production brings, from the packages that are installed here.
import { execFileSync } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const allowed = new Set(['MIT', 'Apache-2.0', 'ISC', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD'])
/** One by one, each with its reason. */
const exceptions = {
  'lru-cache': { licence: 'BlueOak-1.0.0', reason: 'permissive, with a grant of patents; asks to pass its text on' },
  postgres: { licence: 'Unlicense', reason: 'the public domain: asks for less than MIT; an optional peer' },
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
const refused = packages.filter(({ name, licence }) => !isAllowed(licence) && exceptions[name]?.licence !== licence)
for (const { name, licence } of refused) console.error(`licences: ${name} has ${licence}, which is not on the list`)
if (packages.length === 0) console.error('licences: no packages found')
const excepted = Object.keys(exceptions).filter((name) => packages.some((each) => each.name === name))
console.log(
  `licences: ${packages.length} packages, ${refused.length} refused; excepted: ${excepted.join(', ') || 'none'}`,
)
process.exitCode = refused.length === 0 && packages.length > 0 ? 0 : 1

/** `(MIT OR GPL-3.0)` leaves the choice; anything more needs a look. */
function isAllowed(licence) {
  return licence
    .replace(/^\((.*)\)$/, '$1')
    .split(' OR ')
    .some((each) => allowed.has(each))
}
