// `npm start` in a process group of its own, as a terminal and systemd have it: each signal reaches npm, its shell and the
// application, and npm passes it on once more.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'

const root = fileURLToPath(new URL('../..', import.meta.url))
// It builds the packages and the example first.
const startTimeoutMs = 180_000

const groups: ChildProcess[] = []
afterEach(async () => {
  for (const child of groups.splice(0)) signalGroup(child, 'SIGKILL')
})

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  if (pid === undefined) return false
  try {
    return process.kill(-pid, signal)
  } catch {
    return false
  }
}

interface Started {
  readonly child: ChildProcess
  readonly url: string
  readonly token: string
  output(): string
}

async function npmStart(): Promise<Started> {
  // Without scripts: `prestart` would install, which is done.
  const child = spawn('npm', ['start', '--ignore-scripts'], {
    cwd: root,
    detached: true,
    env: {
      ...process.env,
      NODE_ENV: '',
      ENV: '',
      HOST: '',
      PORT: '0',
      DATABASE_URL: 'pglite://memory',
      DEVELOPMENT_ISSUER_PORT: '0',
      KEYCLOAK_BASE_URL: '',
      REDIS_URL: '',
      REDIS_IP: '',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  groups.push(child)
  let output = ''
  return new Promise((resolve, reject) => {
    const look = (text: string): void => {
      output += text
      const [, url] = /^ {2}(http:\S+)\n {2}ws:\S+\n[\s\S]*wscat/m.exec(output) ?? []
      const [, token] = /^ {2}admin +(\S+)$/m.exec(output) ?? []
      if (url !== undefined && token !== undefined) resolve({ child, url, token, output: () => output })
    }
    child.stdout?.setEncoding('utf8').on('data', look)
    child.stderr?.setEncoding('utf8').on('data', look)
    child.once('close', (code) => reject(new Error(`npm start ended early (code ${code}):\n${output}`)))
  })
}

describe('npm start', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    'a %s to its whole process group drains: sockets see 1012, no process is left',
    async (signal) => {
      const { child, url, token, output } = await npmStart()
      const socket = new WebSocket(`${url.replace('http:', 'ws:')}/web`)
      await once(socket, 'open')
      socket.send(JSON.stringify({ type: 'auth', token: `Bearer ${token}` }))
      await once(socket, 'message')
      const closed = once(socket, 'close')
      signalGroup(child, signal)
      const [code, reason] = await closed
      expect([code, String(reason)], output()).toEqual([1012, 'Service restart'])
      await expect.poll(() => signalGroup(child, 0), { timeout: 30_000 }).toBe(false)
    },
    startTimeoutMs,
  )
})
