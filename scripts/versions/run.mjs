// The suites that depend on a server or on Node.js, on each version of it that can be had, one after the other:
// `npm run test:versions [-- postgres|redis|node [version ...]] [--update]`. `--update` writes what passed to reports/versions.json, from which the
// page about supported versions is made.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { updatePolicies } from '../release/policies.mjs'
import * as node from './node.mjs'
import * as postgres from './postgres.mjs'
import * as redis from './redis.mjs'

const kinds = { node, postgres, redis }
const root = fileURLToPath(new URL('../../', import.meta.url))
const report = join(root, 'reports', 'versions.json')
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')

const { values, positionals } = parseArgs({ allowPositionals: true, options: { update: { type: 'boolean' } } })
const [asked, ...only] = positionals
if (asked !== undefined && !kinds[asked]) throw new Error(`${asked} is none of ${Object.keys(kinds).join(', ')}`)
const rows = []
for (const [name, kind] of Object.entries(kinds).filter(([each]) => asked === undefined || each === asked)) {
  const unknown = only.filter((each) => !kind.versions.includes(each))
  if (unknown.length > 0) throw new Error(`${name} has ${kind.versions.join(', ')}, not ${unknown.join(', ')}`)
  for (const each of kind.versions.filter((version) => only.length === 0 || only.includes(version))) {
    const row = await tryVersion(kind, each).catch((error) => ({ error: error.message }))
    rows.push({ kind: name, asked: each, ...row })
    console.log(`versions: ${kind.title} ${each}: ${row.error ?? describe(row)}`)
  }
}
const failed = rows.filter(({ error, failed }) => error !== undefined || failed > 0)
console.log(`versions: ${rows.length - failed.length} of ${rows.length} passed`)
if (values.update) update(rows.filter((row) => !failed.includes(row)))
process.exitCode = failed.length === 0 ? 0 : 1

async function tryVersion(kind, asked) {
  const server = await kind.start(asked)
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-versions-'))
  const file = join(folder, 'report.json')
  const started = Date.now()
  try {
    const child = spawn(server.node ?? process.execPath, [vitest, 'run', ...kind.tests], {
      cwd: root,
      env: { ...process.env, ...server.env, VITEST_JSON_OUTPUT_FILE: file, NO_COLOR: '1' },
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    const [code] = await once(child, 'close')
    const { numPassedTests, numFailedTests, numPendingTests } = JSON.parse(readFileSync(file, 'utf8'))
    // A suite that could not be loaded has no tests that failed.
    const failed = numFailedTests || (code === 0 ? 0 : 1)
    const seconds = Math.round((Date.now() - started) / 1000)
    return { version: server.version, passed: numPassedTests, failed, skipped: numPendingTests, seconds }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function describe({ version, passed, failed, skipped, seconds }) {
  return `${version}: ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s`
}

/** Those that were not asked for keep their lines. */
function update(passed) {
  const before = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : []
  const date = new Date().toISOString().slice(0, 10)
  const lines = passed.map(({ kind, asked, version, passed: tests, skipped }) => ({
    kind,
    asked,
    version,
    tests,
    skipped,
    date,
  }))
  const others = before.filter((one) => !lines.some((line) => line.kind === one.kind && line.asked === one.asked))
  const all = [...others, ...lines].sort((a, b) => `${a.kind} ${a.asked}`.localeCompare(`${b.kind} ${b.asked}`))
  writeFileSync(report, `${JSON.stringify(all, null, 2)}\n`)
  updatePolicies()
}
