import { type ChildProcess, spawn } from 'node:child_process'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../examples/authors/', import.meta.url))
// An embedded database takes its time on a busy machine.
const startWithinMs = 110_000

export interface ExampleEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The reference application in a process of its own, run from its sources. */
export interface Example {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** `ws://127.0.0.1:<port>/web` */
  readonly socketUrl: string
  /** Of its development issuer, as it prints them; null with a Keycloak. */
  readonly tokens: ExampleTokens | null
  /** Everything that it has printed so far. */
  readonly output: () => string
  /** Sends `signal` (SIGTERM by default) and resolves when the process has exited. */
  stop(signal?: NodeJS.Signals): Promise<ExampleEnd>
}

export interface ExampleTokens {
  readonly admin: string
  readonly reader: string
}

interface ExampleOptions {
  readonly databaseUrl: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Further variables of the environment. */
  readonly env?: Readonly<Record<string, string>>
}

/** Resolves when it says where it listens; rejects, with all that it printed, when it ends before. */
export async function startExample(options: ExampleOptions): Promise<Example> {
  const run = spawnExample(options)
  let timer: NodeJS.Timeout | undefined
  try {
    const [url, socketUrl] = await Promise.race([
      run.listening,
      run.ended.then(({ code, signal }) => {
        throw new Error(`The example ended early (code ${code}, signal ${signal}):\n${run.output()}`)
      }),
      new Promise<never>((_, reject) => {
        const late = (): void => reject(new Error(`The example does not listen:\n${run.output()}`))
        timer = setTimeout(late, startWithinMs)
      }),
    ])
    const stop = (signal: NodeJS.Signals = 'SIGTERM'): Promise<ExampleEnd> => {
      run.child.kill(signal)
      return run.ended
    }
    return { url, socketUrl, tokens: findTokens(run.stdout()), output: run.output, stop }
  } catch (error) {
    run.child.kill('SIGKILL')
    await run.ended
    throw error
  } finally {
    clearTimeout(timer)
  }
}

function findTokens(output: string): ExampleTokens | null {
  const [, admin, reader] = /^ {2}admin +(\S+)\n {2}reader +(\S+)$/m.exec(output) ?? []
  return admin === undefined || reader === undefined ? null : { admin, reader }
}

/**
 * For a start that is expected to fail, or one that prints no welcome: resolves with how it ended and what it printed on each
 * stream. `endAfter`: it is stopped by SIGTERM when its standard output has that.
 */
export async function runExample(
  options: ExampleOptions & { readonly endAfter?: RegExp },
): Promise<ExampleEnd & { readonly stdout: string; readonly stderr: string }> {
  const run = spawnExample(options)
  // One that starts after all must not keep the test waiting.
  run.listening.then(
    () => run.child.kill('SIGKILL'),
    () => {},
  )
  const { endAfter } = options
  const look = (): void => {
    if (!endAfter?.test(run.stdout())) return
    run.child.stdout?.off('data', look)
    run.child.kill('SIGTERM')
  }
  if (endAfter !== undefined) run.child.stdout?.on('data', look)
  const end = await run.ended
  return { ...end, stdout: run.stdout(), stderr: run.stderr() }
}

interface Run {
  readonly child: ChildProcess
  readonly listening: Promise<[url: string, socketUrl: string]>
  readonly ended: Promise<ExampleEnd>
  readonly stdout: () => string
  readonly stderr: () => string
  readonly output: () => string
}

function spawnExample({ databaseUrl, port = 0, env = {} }: ExampleOptions): Run {
  const child = spawn(process.execPath, ['--conditions=@twinwire/source', '--import', 'tsx', 'src/main.ts'], {
    cwd: folder,
    env: {
      ...process.env,
      // vitest's NODE_ENV is not passed on: users start it without one.
      NODE_ENV: '',
      ENV: '',
      HOST: '',
      PORT: String(port),
      DATABASE_URL: databaseUrl,
      DEVELOPMENT_ISSUER_PORT: '0',
      KEYCLOAK_BASE_URL: '',
      KEYCLOAK_REALM: '',
      KEYCLOAK_CLIENT_ID: '',
      REDIS_URL: '',
      REDIS_IP: '',
      // Suites send more than one user may; the one about limits turns them on.
      RATE_LIMIT_ENABLED: 'false',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  let stdout = ''
  let stderr = ''
  const listening = new Promise<[string, string]>((resolve) => {
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk
      // The welcome: both addresses, and the blank line after the commands, so that all of it is there.
      const [, url, socketUrl] = /^ {2}(http:\S+)\n {2}(ws:\S+)\n[\s\S]*wscat[^\n]*\n/m.exec(stdout) ?? []
      if (url !== undefined && socketUrl !== undefined) resolve([url, socketUrl])
    })
  })
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk
  })
  const ended = new Promise<ExampleEnd>((resolve, reject) => {
    child.once('error', reject)
    // `close`, not `exit`: then all that it printed has been read.
    child.once('close', (code, signal) => {
      process.off('exit', kill)
      resolve({ code, signal })
    })
  })
  return { child, listening, ended, stdout: () => stdout, stderr: () => stderr, output: () => stdout + stderr }
}
