import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { freePort, serviceMissing } from './service.ts'

const prometheus = process.env.TEST_PROMETHEUS || 'prometheus'

/** A running Prometheus. */
export interface TestPrometheus {
  /** The member `data` of the response of `/api/v1/<path>`; throws for an error. */
  api(path: string): Promise<unknown>
  stop(): Promise<void>
}

/** True when `startPrometheus()` can work here; if not, prints why, or throws where services are required. */
export function hasPrometheus(): boolean {
  if (spawnSync(prometheus, ['--version']).status === 0) return true
  return serviceMissing('Prometheus', 'put it on the PATH (Debian: package prometheus), or set TEST_PROMETHEUS to it')
}

/** Starts Prometheus with this configuration on a free port of 127.0.0.1; resolves when it is ready. */
export async function startPrometheus(config: string): Promise<TestPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-prometheus-'))
  const file = join(folder, 'prometheus.yml')
  await writeFile(file, config)
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(
    prometheus,
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=${new URL(url).host}`,
      '--enable-feature=exemplar-storage',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const stop = async (): Promise<void> => {
    process.off('exit', kill)
    kill()
    await exited
    await rm(folder, { recursive: true, force: true })
  }
  while (!(await answers(`${url}/-/ready`))) {
    if (child.exitCode !== null) {
      await stop()
      throw new Error(`Prometheus ended with ${child.exitCode}:\n${log}`)
    }
    await pause(100)
  }
  return {
    stop,
    async api(path) {
      const answer = (await (await fetch(`${url}/api/v1/${path}`)).json()) as {
        readonly status: string
        readonly error?: string
        readonly data?: unknown
      }
      if (answer.status !== 'success') throw new Error(`${path}: ${answer.error}`)
      return answer.data
    },
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok
  } catch {
    return false
  }
}
