import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('./', import.meta.url))

export interface ChildEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** An application in a process of its own, run from a file beside this one that prints `{"port": …}` when it listens. */
export interface ChildApp {
  readonly port: number
  readonly pid: number
  readonly ended: Promise<ChildEnd>
  readonly output: () => string
  kill(signal: NodeJS.Signals): void
}

type Environment = Readonly<Record<string, string>>

export function startChildApp(file: string, env: Environment = {}): Promise<ChildApp> {
  return startBuiltApp(['--conditions=@twinwire/source', '--import', 'tsx', file], env)
}

/** Of a file that Node runs as it is: `args` are those of Node. */
export async function startBuiltApp(args: readonly string[], env: Environment = {}): Promise<ChildApp> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, NODE_ENV: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const ended = new Promise<ChildEnd>((resolve) => child.once('close', (code, signal) => resolve({ code, signal })))
  const port = await listening(child, ended, () => output)
  return { port, pid: child.pid ?? 0, ended, output: () => output, kill: (signal) => void child.kill(signal) }
}

function listening(child: ChildProcess, ended: Promise<ChildEnd>, output: () => string): Promise<number> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const port = /\{"port":(\d+)\}/.exec(output())?.[1]
      if (port !== undefined) resolve(Number(port))
    }
    child.stdout?.on('data', look)
    void ended.then(({ code }) => reject(new Error(`The application ended early (code ${code}):\n${output()}`)))
  })
}
