// `npm run keycloak`: a signal ends all its processes and removes its files, at any time.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { signalGroup } from '../support/child-group.ts'
import { hasKeycloak } from '../support/keycloak.ts'
import { freePort } from '../support/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// A server is slow to start on a busy machine.
const startTimeoutMs = 300_000

interface Process {
  readonly pid: number
  readonly args: string
}

/** Processes of this machine whose command line or environment contains `text`. */
async function processesWith(text: string): Promise<Process[]> {
  const found: Process[] = []
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
    const args = (await read('cmdline')).replaceAll('\0', ' ')
    // A process that has ended and was not waited for has no command line.
    if (args !== '' && (args + (await read('environ'))).includes(text)) found.push({ pid: Number(pid), args })
  }
  return found.filter(({ pid }) => pid !== process.pid)
}

const groups: { child: ChildProcess; mark: string }[] = []
afterEach(async () => {
  for (const { child, mark } of groups.splice(0)) {
    signalGroup(child, 'SIGKILL')
    for (const { pid } of await processesWith(mark)) process.kill(pid, 'SIGKILL')
  }
})

async function npmRunKeycloak() {
  const port = await freePort()
  const mark = `TWINWIRE_TEST_MARK=${port}-${process.pid}`
  const child = spawn('npm', ['run', 'keycloak'], {
    cwd: root,
    detached: true,
    env: { ...process.env, PORT: String(port), TWINWIRE_TEST_MARK: mark.split('=')[1] },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  groups.push({ child, mark })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const rest = () => processesWith(mark)
  /** The folder of the server, once its Java runs. */
  const home = async (): Promise<string | undefined> =>
    /(\/\S*twinwire-keycloak-\w+)\/bin/.exec((await rest()).find(({ args }) => /\bjava\b/.test(args))?.args ?? '')?.[1]
  return { child, output: () => output, rest, home }
}

describe.skipIf(process.platform !== 'linux' || !hasKeycloak())('npm run keycloak', () => {
  const cases = [
    ['SIGTERM', 'npm'],
    ['SIGINT', 'its process group'],
    ['SIGHUP', 'its process group'],
  ] as const
  test.each(cases)(
    'leaves nothing behind on a %s to %s while it starts',
    async (signal, to) => {
      const { child, output, rest, home } = await npmRunKeycloak()
      await expect.poll(home, { timeout: startTimeoutMs, interval: 100 }).toBeDefined()
      const folder = (await home()) ?? ''
      if (to === 'npm') child.kill(signal)
      else signalGroup(child, signal)
      await expect.poll(rest, { timeout: 30_000, interval: 200, message: output() }).toEqual([])
      expect(existsSync(folder)).toBe(false)
    },
    startTimeoutMs,
  )

  test(
    'and on a SIGTERM to npm while it serves',
    async () => {
      const { child, output, rest } = await npmRunKeycloak()
      await expect.poll(output, { timeout: startTimeoutMs, interval: 200 }).toContain('Ctrl+C stops it.')
      expect((await rest()).some(({ args }) => /\bjava\b/.test(args))).toBe(true)
      child.kill('SIGTERM')
      await expect.poll(rest, { timeout: 30_000, interval: 200, message: output() }).toEqual([])
    },
    startTimeoutMs,
  )
})
