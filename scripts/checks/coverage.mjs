// Measures which lines of each package its tests run: the unit tests of the package, and the integration tests that coverage.json names
// under `with` (beginnings of paths). Fails where a package is under the floor, or below its figure in coverage.json by more than the
// tolerance. `npm run test:coverage -- client redis` measures these packages only; `-- --update` writes the figures.
// What runs in processes that a test starts is not counted, so a figure is too low rather than too high.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const floor = 85
/** Percentage points. Some lines run only when answers come in a certain order. */
const tolerance = 0.5
const root = fileURLToPath(new URL('../..', import.meta.url))
const file = join(root, 'scripts/checks/coverage.json')

const recorded = JSON.parse(readFileSync(file, 'utf8'))
const names = readdirSync(join(root, 'packages')).sort()
const options = process.argv.slice(2).filter((each) => each.startsWith('--'))
const given = process.argv.slice(2).filter((each) => !each.startsWith('--'))
const update = options.includes('--update')

const problems = [
  ...options.filter((each) => each !== '--update').map((each) => `${each} is not an option: the only one is --update`),
  ...given.filter((each) => !names.includes(each)).map((each) => `${each} is not a package: ${names.join(', ')}`),
  ...names
    .filter((each) => recorded[each] === undefined)
    .map((each) => `coverage.json has no entry for ${each}: add { "with": [], "lines": 0 }`),
  ...Object.keys(recorded)
    .filter((each) => !names.includes(each))
    .map((each) => `coverage.json has an entry for ${each}, which is not a package: remove it`),
]
if (problems.length === 0) for (const name of given.length > 0 ? given : names) check(name)
for (const each of problems) console.error(`coverage: ${each}`)
process.exitCode = problems.length === 0 ? 0 : 1

function check(name) {
  console.log(`coverage: ${name}: the tests run`)
  const lines = measure(name)
  if (lines === null) {
    problems.push(`${name}: tests failed, so there is no figure`)
    return
  }
  const before = recorded[name].lines
  console.log(`coverage: ${name}: ${lines} % of lines (${before} % in coverage.json)`)
  if (lines < floor) problems.push(`${name}: ${lines} % of lines is under the floor of ${floor} %: write tests`)
  else if (update) {
    recorded[name].lines = lines
    writeFileSync(file, toText(recorded))
  } else if (lines < before - tolerance)
    problems.push(`${name}: ${lines} % of lines, ${before} % before: write tests for what was added`)
  else if (lines > before + tolerance) console.log(`coverage: keep that with npm run test:coverage -- ${name} --update`)
}

/** Percentage of lines; null if a test failed. */
function measure(name) {
  const folder = join(root, 'test-results/coverage', name)
  const { status, stdout, stderr, error } = spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      ...['--project', 'unit', '--project', 'integration'],
      ...[
        '--coverage.enabled',
        `--coverage.include=packages/${name}/src/**/*.ts`,
        `--coverage.reportsDirectory=${folder}`,
      ],
      '--reporter=dot',
      `packages/${name}/`,
      ...recorded[name].with,
    ],
    // A missing service would lower the figure: its tests fail instead of being skipped.
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 256 * 1024 * 1024,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, TWINWIRE_REQUIRE_SERVICES: '1' },
    },
  )
  if (error !== undefined) throw error
  if (status !== 0) {
    console.error(`${stdout}\n${stderr}`)
    return null
  }
  return JSON.parse(readFileSync(join(folder, 'coverage-summary.json'), 'utf8')).total.lines.pct
}

/** As biome formats it. */
function toText(figures) {
  const entries = Object.entries(figures).map(
    ([name, { with: tests, lines }]) =>
      `  ${JSON.stringify(name)}: {\n    "with": ${JSON.stringify(tests).replaceAll(',', ', ')},\n    "lines": ${lines}\n  }`,
  )
  return `{\n${entries.join(',\n')}\n}\n`
}
