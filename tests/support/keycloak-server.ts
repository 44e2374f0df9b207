import { type ChildProcess, spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { endWithThisProcess, removeWithThisProcess, signalGroup } from './child-group.ts'
import { freePort } from './service.ts'

const startWithinMs = 300_000

export interface KeycloakServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  /** Resolves when the first server process has ended. */
  readonly ended: Promise<void>
  /** Sends SIGTERM; keeps its files. */
  shutDown(): Promise<void>
  /** Starts it again with the same port and files. */
  startAgain(): Promise<void>
  /** Ends it and removes its files. */
  stop(): Promise<void>
}

interface KeycloakServerOptions {
  /** The unpacked distribution. It is copied, because a server writes into its folder. */
  readonly distribution: string
  /** Files of realms, for `--import-realm`. */
  readonly realms: readonly string[]
  readonly admin: { readonly username: string; readonly password: string }
  /** Default: any free port. */
  readonly port?: number
}

/** `kc.sh start-dev --import-realm` on 127.0.0.1, with its files in a temporary folder. */
export async function startKeycloakServer(options: KeycloakServerOptions): Promise<KeycloakServer> {
  const { distribution, realms, admin, port = await freePort() } = options
  const home = await mkdtemp(join(tmpdir(), 'twinwire-keycloak-'))
  const keepFiles = removeWithThisProcess(home)
  await cp(distribution, home, { recursive: true })
  await mkdir(join(home, 'data', 'import'), { recursive: true })
  for (const [index, file] of realms.entries()) await cp(file, join(home, 'data', 'import', `realm-${index}.json`))
  const start = (): Promise<RunningServer> => run(home, port, admin)
  const removeFiles = async (): Promise<void> => {
    await rm(home, { recursive: true, force: true })
    keepFiles()
  }
  let server = await start().catch(async (error: unknown) => {
    await removeFiles()
    throw error
  })
  return {
    url: `http://127.0.0.1:${port}`,
    ended: server.ended,
    shutDown: () => server.end('SIGTERM'),
    startAgain: async () => {
      await server.end('SIGTERM')
      server = await start()
    },
    stop: async () => {
      await server.end('SIGKILL')
      await removeFiles()
    },
  }
}

interface RunningServer {
  readonly ended: Promise<void>
  end(signal: NodeJS.Signals): Promise<void>
}

async function run(home: string, port: number, admin: KeycloakServerOptions['admin']): Promise<RunningServer> {
  const child = spawn(
    join(home, 'bin', 'kc.sh'),
    ['start-dev', '--import-realm', '--http-host=127.0.0.1', `--http-port=${port}`],
    {
      // A separate process group, because the script has a child.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        KC_BOOTSTRAP_ADMIN_USERNAME: admin.username,
        KC_BOOTSTRAP_ADMIN_PASSWORD: admin.password,
        // Starts faster; the second compiler only pays off after minutes.
        JAVA_OPTS_APPEND: '-XX:TieredStopAtLevel=1',
      },
    },
  )
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  endWithThisProcess(child)
  await listening(child).catch(async (error: unknown) => {
    signalGroup(child, 'SIGKILL')
    await exited
    throw error
  })
  return {
    ended: exited,
    end: async (signal) => {
      signalGroup(child, signal)
      await exited
    },
  }
}

function listening(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = ''
    const fail = (reason: string): void => reject(new Error(`Keycloak ${reason}:\n${output.slice(-4000)}`))
    const timer = setTimeout(() => fail(`does not listen after ${startWithinMs} ms`), startWithinMs)
    const onOutput = (text: string): void => {
      if (output.length < 1_000_000) output += text
      if (output.includes('Listening on:')) resolve()
    }
    child.stdout?.setEncoding('utf8').on('data', onOutput)
    child.stderr?.setEncoding('utf8').on('data', onOutput)
    child.once('error', reject)
    child.once('exit', (code, signal) => fail(`ended with ${code ?? signal}`))
    child.once('exit', () => clearTimeout(timer))
    void Promise.resolve().then(() => timer.unref())
  })
}
