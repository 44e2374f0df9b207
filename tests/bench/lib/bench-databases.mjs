import process from 'node:process'
import postgres from 'postgres'
import { measureRounds, runAlone } from './measure.mjs'

/** `measureRounds` of servers that have a database each. */
export function measureWithDatabases(servers, workload, options, core, onRound) {
  return withDatabases(servers, (ready) => measureRounds(ready, workload, options, core, onRound))
}

/** `profile` of a workload. */
export function profileWithDatabase(server, workload, options, core, folder) {
  const nodeArgs = ['--cpu-prof', `--cpu-prof-dir=${folder}`]
  return withDatabases([server], ([ready]) => runAlone(ready, workload, options, core, nodeArgs))
}

/** On a real PostgreSQL: `TEST_DATABASE_URL`, else 127.0.0.1. */
async function withDatabases(servers, run) {
  const url = new URL(process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres')
  const admin = postgres(url.href, { max: 1, onnotice: () => {} })
  const names = servers.map((_, i) => `twinwire_bench_${process.pid}_${i}`)
  try {
    await printSettings(admin)
    for (const name of names) await admin.unsafe(`create database ${name}`)
    const ready = servers.map((server, i) => {
      url.pathname = `/${names[i]}`
      return { ...server, env: { ...server.env, TWINWIRE_BENCH_DATABASE: url.href } }
    })
    return await run(ready)
  } finally {
    for (const name of names) await admin.unsafe(`drop database if exists ${name} with (force)`)
    await admin.end()
  }
}

/** Whether a COMMIT waits for the disk decides what a call costs. */
async function printSettings(admin) {
  const settings = ['server_version', 'fsync', 'synchronous_commit', 'full_page_writes']
  const values = await Promise.all(settings.map(async (name) => (await admin.unsafe(`show ${name}`))[0][name]))
  console.log(`PostgreSQL: ${settings.map((name, i) => `${name} ${values[i]}`).join(', ')}\n`)
}
