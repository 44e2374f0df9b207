import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import type { ChildEnd } from './child-app.ts'

const folder = fileURLToPath(new URL('./', import.meta.url))

type Line = Readonly<Record<string, unknown>>

/** The parent of a cluster, and what it and its workers print. */
export interface ClusterProcess {
  readonly pid: number
  /** Every JSON line so far. */
  readonly lines: readonly Line[]
  readonly ended: Promise<ChildEnd>
  readonly output: () => string
  /** The first line for which `is` returns true, of those so far and those to come. Rejects when the cluster ends before. */
  line(is: (line: Line) => boolean): Promise<Line>
  kill(signal: NodeJS.Signals): void
}

/** All its processes are killed when the test has finished. `entry`: the file that calls `cluster()`, by default `cluster-app.ts`. */
export function startCluster(
  env: Readonly<Record<string, string>> = {},
  entry = `${folder}cluster-app.ts`,
): ClusterProcess {
  const child = spawn(process.execPath, ['--conditions=@twinwire/source', '--import', 'tsx', entry], {
    cwd: dirname(entry),
    env: { ...process.env, NODE_ENV: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that workers are killed too.
    detached: true,
  })
  const { pid = 0 } = child
  onTestFinished(() => {
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // All of them have ended.
    }
  })
  let output = ''
  let rest = ''
  const lines: Line[] = []
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (stream === child.stderr) return
      const parts = (rest + text).split('\n')
      rest = parts.pop() ?? ''
      for (const part of parts) if (part.startsWith('{')) lines.push(JSON.parse(part))
      for (const look of [...waiting]) look()
    })
  }
  const ended = new Promise<ChildEnd>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  return {
    pid,
    lines,
    ended,
    output: () => output,
    line: (is) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = lines.find(is)
          if (found === undefined) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
        void ended.then(() => reject(new Error(`The cluster has ended:\n${output}`)))
      }),
    kill: (signal) => void child.kill(signal),
  }
}

/** Resolves with the port once every worker serves. */
export async function serving(cluster: ClusterProcess): Promise<number> {
  const { url } = await cluster.line(({ msg }) => msg === 'Listening')
  await cluster.line(({ msg }) => msg === 'The cluster serves')
  return Number(new URL(String(url)).port)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
