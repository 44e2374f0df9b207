import { type SpawnOptions, spawn } from 'node:child_process'
import { connect } from 'node:net'
import type { Certificate } from './certificate.ts'

/** A proxy in front of apps on 127.0.0.1, with the configuration of docs_site/behind-a-proxy.md. */
export interface TestProxy {
  /** Without TLS. */
  readonly port: number
  /** With TLS, and HTTP/2. */
  readonly securePort: number
  /** The same configuration again, as an operator loads a new one. */
  reload(): Promise<void>
  stop(): Promise<void>
}

export interface TestProxyOptions {
  /** The ports of the apps. */
  readonly targets: readonly number[]
  readonly certificate: Certificate
  /** In place of the 60 seconds that the page has for a connection without traffic. Whole seconds. */
  readonly idleSeconds?: number
  /** Further changes of the configuration. */
  readonly changes?: readonly (readonly [from: string, to: string])[]
}

export interface ProxyProcess {
  readonly pid: number
  readonly output: () => string
  kill(signal: NodeJS.Signals): void
  stop(): Promise<void>
}

/** Resolves when it accepts connections at all of the ports; rejects, with all that it printed, when it ends before. */
export async function startProxyProcess(
  command: string,
  args: readonly string[],
  ports: readonly number[],
  options: Pick<SpawnOptions, 'env'> = {},
): Promise<ProxyProcess> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  let hasEnded = false
  const ended = new Promise<void>((resolve) =>
    child.once('close', () => {
      hasEnded = true
      process.off('exit', kill)
      resolve()
    }),
  )
  for (const port of ports) {
    while (!(await accepts(port))) {
      if (hasEnded) throw new Error(`${command} ended: ${output}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  return {
    pid: child.pid ?? 0,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM')
      const killed = setTimeout(kill, 5000)
      await ended
      clearTimeout(killed)
    },
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}
