// Every changeset can be parsed and names published packages, and a branch that changes one of them has a changeset.
import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }

const base = ['origin/main', 'main'].find(
  (ref) => spawnSync('git', ['merge-base', ref, 'HEAD'], { cwd: root, stdio: 'ignore' }).status === 0,
)
if (base === undefined) {
  // A shallow clone has nothing to compare with.
  console.log('changesets: SKIPPED, no branch main here')
} else {
  // On main itself nothing is new: without `--since` the pending changesets are enough.
  const sinceBase = isOn(base) ? [] : [`--since=${base}`]
  const { status, stdout, stderr } = spawnSync('changeset', ['status', ...sinceBase], {
    cwd: root,
    env,
    encoding: 'utf8',
  })
  console.log(`changesets: against ${base}: ${status === 0 ? 'ok' : `FAILED\n${stdout}${stderr}`}`)
  process.exitCode = status === 0 ? 0 : 1
}

function isOn(ref) {
  return spawnSync('git', ['merge-base', '--is-ancestor', 'HEAD', ref], { cwd: root }).status === 0
}
