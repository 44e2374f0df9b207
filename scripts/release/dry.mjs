// A release without publishing it: `npm run release:dry [-- options]`. Everything is done in a temporary copy, with a registry on this
// machine. It ends with 1 after the first step that has faults, and lists all faults of that step.
//   --quick        the hosts with npm and on this Node only
//   --skip <step>  without this one; may be repeated
//   --only <step>  the steps that others need, and this one
//   --update       what is measured and exported now is accepted: reports/exports, reports/sizes.json and the page about sizes
//   --keep         leaves the copy and prints where it is
import process from 'node:process'
import { parseArgs } from 'node:util'
import { startRegistry } from '../../tests/package/lib/registry.mjs'
import { copyTree } from './copy.mjs'
import { checkExports } from './steps/exports.mjs'
import { checkHosts } from './steps/hosts.mjs'
import { checkInstalls } from './steps/installs.mjs'
import { checkManifests } from './steps/manifests.mjs'
import { checkBill } from './steps/sbom.mjs'
import { checkScript } from './steps/scripts.mjs'
import { checkSizes } from './steps/sizes.mjs'
import { checkTarballs } from './steps/tarballs.mjs'
import { packCopy, setVersions } from './steps/versions.mjs'

/** @typedef {{ did: string, faults: string[], table?: string[][] }} Result */
const steps = {
  versions: { run: setVersions },
  pack: { run: packCopy },
  tarballs: { run: checkTarballs },
  manifests: { run: checkManifests },
  exports: { run: checkExports },
  packed: { run: (context) => checkScript(context, 'scripts/checks/packed.mjs') },
  licences: { run: (context) => checkScript(context, 'scripts/checks/licences.mjs') },
  registry: { run: publish },
  installs: { run: checkInstalls, needs: ['registry'] },
  sizes: { run: checkSizes, needs: ['tarballs', 'registry', 'installs'] },
  sbom: { run: checkBill, needs: ['registry'] },
  hosts: { run: checkHosts, needs: ['registry'] },
}

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean' },
    skip: { type: 'string', multiple: true },
    only: { type: 'string', multiple: true },
    update: { type: 'boolean' },
    keep: { type: 'boolean' },
  },
})
for (const each of [...(values.only ?? []), ...(values.skip ?? [])])
  if (!steps[each]) throw new Error(`${each} is none of ${Object.keys(steps).join(', ')}`)
const chosen = Object.keys(steps).filter(
  (name) => !values.skip?.includes(name) && (!values.only || values.only.includes(name)),
)
const needed = new Set(['versions', 'pack', ...chosen.flatMap((name) => [name, ...(steps[name].needs ?? [])])])
const asked = Object.entries(steps).filter(([name]) => needed.has(name))

const copy = copyTree()
const context = { folder: copy.folder, packages: [], registry: null, quick: values.quick, update: values.update }
const rows = []
let faults = []
try {
  for (const [name, { run }] of asked) {
    const started = Date.now()
    const result = await run(context).catch((error) => ({ did: 'failed', faults: [error.message] }))
    rows.push([name, `${((Date.now() - started) / 1000).toFixed(1)} s`, result.did])
    console.log(`release: ${name}: ${result.faults.length === 0 ? result.did : 'FAILED'}`)
    if (result.table) print(result.table)
    faults = result.faults
    if (faults.length > 0) break
  }
} finally {
  await context.registry?.stop()
  if (values.keep) console.log(`release: the copy is ${copy.folder}`)
  else copy.remove()
}
console.log('')
print([['step', 'time', 'what was done'], ...rows])
for (const fault of faults) console.error(`release: ${fault}`)
const left = asked.length - rows.length
const passed = rows.length - (faults.length > 0 ? 1 : 0)
console.log(`release: ${passed} steps passed, ${faults.length} faults${left > 0 ? `, ${left} steps not run` : ''}`)
process.exitCode = faults.length === 0 ? 0 : 1

/** Into a registry on this machine, by `npm publish`; before that, what the real registry would be sent. */
async function publish(context) {
  context.registry = await startRegistry(context.packages)
  return { did: `${context.packages.length} packages published on this machine`, faults: [] }
}

function print(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => line[column].length)))
  for (const line of lines)
    console.log(`  ${line.map((cell, column) => cell.padEnd(widths[column])).join('  ')}`.trimEnd())
}
