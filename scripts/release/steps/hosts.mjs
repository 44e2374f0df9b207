// The hosts of tests/package, with the packages from the registry: by each package manager, and with the next TypeScript.
import process from 'node:process'
import { quietEnv } from '../../../tests/package/lib/env.mjs'
import { run } from '../../../tests/package/lib/processes.mjs'

const typescript7 = ['--typescript', '7.0.2']
const all = [
  ['--with', 'npm'],
  ['--with', 'pnpm'],
  ['--with', 'yarn'],
  ['--with', 'npm', ...typescript7],
]

export async function checkHosts({ folder, registry, quick }) {
  const faults = []
  const table = [['hosts', 'result']]
  const [node] = process.versions.node.split('.')
  for (const options of quick ? [['--with', 'npm', '--node', node]] : all) {
    const args = ['tests/package/run.mjs', '--registry', registry.url, ...options]
    try {
      const output = await run(process.execPath, args, { cwd: folder, env: quietEnv(registry.env) })
      table.push([options.join(' '), /\d+ hosts passed, \d+ failed, in .*/.exec(output)?.[0] ?? output])
    } catch (error) {
      table.push([options.join(' '), 'FAILED'])
      faults.push(error.message)
    }
  }
  return {
    did: `${table.length - 1} runs of the hosts, each on ${quick ? `Node ${node}` : 'Node 20, 22 and 24'}`,
    faults,
    table,
  }
}
