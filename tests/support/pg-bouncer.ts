import { spawn, spawnSync } from 'node:child_process'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { freePort, serviceMissing } from './service.ts'

export interface TestPgBouncer {
  /** Of the database, by the PgBouncer. */
  readonly url: string
  stop(): Promise<void>
}

/** Is there one in the PATH? If not, prints what lacks, or throws where services are required. */
export function hasPgBouncer(): boolean {
  return spawnSync('pgbouncer', ['--version']).status === 0 || serviceMissing('PgBouncer', 'apt-get install pgbouncer')
}

/** In the mode of transactions, before the server of `url`, which accepts any user. */
export async function startPgBouncer(url: string): Promise<TestPgBouncer> {
  const { hostname, port, username, pathname } = new URL(url)
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-pgbouncer-'))
  const listen = await freePort()
  const file = join(folder, 'pgbouncer.ini')
  const users = join(folder, 'users.txt')
  await writeFile(users, `"${username}" ""\n`)
  await writeFile(
    file,
    `[databases]\n* = host=${hostname} port=${port} user=${username}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = ${listen}\n` +
      `unix_socket_dir =\nauth_type = any\nauth_file = ${users}\npool_mode = transaction\ndefault_pool_size = 3\n`,
  )
  for (const path of [folder, file, users]) await chmod(path, 0o755)
  // It refuses to run as root.
  const asUser = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn('pgbouncer', [...asUser, file], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  let log = ''
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString()
      if (/process up/.test(log)) resolve()
    })
    child.once('exit', () => reject(new Error(`pgbouncer ended: ${log}`)))
  })
  return {
    url: `postgres://${username}@127.0.0.1:${listen}${pathname}`,
    stop: async () => {
      child.kill('SIGTERM')
      const killed = setTimeout(() => child.kill('SIGKILL'), 5000)
      await ended
      clearTimeout(killed)
      await rm(folder, { recursive: true, force: true })
    },
  }
}
