// publint and "are the types wrong" on the packed packages, for `import` and for `require`. `node10` does not support subpaths and is not a target.
import { spawnSync } from 'node:child_process'
import { delimiter } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { packPackages } from '../lib/pack-packages.mjs'

// Also when run directly, without the PATH of an npm script.
const bin = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` }
let failed = false
for (const { name, tarball } of packPackages()) {
  const options = { encoding: 'utf8', env }
  report(name, 'publint', spawnSync('publint', ['--strict', tarball], options))
  // A schema of protobuf has no types.
  const only = ['--exclude-entrypoints', 'proto/websocket.proto', '--']
  const attw = ['--profile', 'node16', '--format', 'ascii', '--no-emoji', ...only, tarball]
  report(name, 'attw', spawnSync('attw', attw, options))
}
process.exitCode = failed ? 1 : 0

function report(name, tool, { status, stdout, stderr, error }) {
  console.log(`packed: ${name}: ${tool}: ${status === 0 ? 'ok' : 'FAILED'}`)
  if (status === 0) return
  failed = true
  console.log(error ?? `${stdout}${stderr}`)
}
