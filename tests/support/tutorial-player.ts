// Plays the commands of a page of the tutorial, with bash, curl and wscat, and compares what they print with the page.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { expect, vi } from 'vitest'
import { toNginxConfig } from './nginx.ts'
import { startProxyProcess } from './proxy-process.ts'
import { freePort } from './service.ts'
import { tutorial } from './tutorial-pages.ts'

const tsx = import.meta.resolve('tsx')
const wscat = fileURLToPath(new URL('../node_modules/wscat/bin/wscat', import.meta.url))

/** Another test does what these say: that of the package, of the types, of the steps' own tests, or of what is generated. */
const doneElsewhere =
  /^(?:mkdir |cd |rm |npm init |npm pkg set |npm install |npx tsc(?: -p web)?$|npm test$|npm run (?:db:generate|build|build:page|manifest)\b|sudo cp )/
const played = /^(?:curl |for |printf |cmp |\(|npx --yes wscat |[A-Z_]+=)/

/** Readers have the port 8000; here every port of a page is a free one. */
const portsOfPages = [8000, 8001, 8002, 8081] as const

type Services = Readonly<Record<string, string>>

export class TutorialPlayer {
  readonly #step: string
  readonly #folder: string
  readonly #ports: ReadonlyMap<number, number>
  readonly #services: Services
  readonly #servers: { readonly child: ChildProcess; readonly port: string; printed: string; ended: boolean }[] = []
  #variables = ''
  #nginx: { stop(): Promise<void> } | null = null

  private constructor(step: string, folder: string, ports: ReadonlyMap<number, number>, services: Services) {
    this.#step = step
    this.#folder = folder
    this.#ports = ports
    this.#services = services
  }

  /** `services`: the values that variables of a page have here, such as `DATABASE_URL`. */
  static async open(step: string, services: Services): Promise<TutorialPlayer> {
    const ports = new Map<number, number>()
    for (const port of portsOfPages) ports.set(port, await freePort())
    // The data of the servers is here, not in the step.
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-tutorial-'))
    return new TutorialPlayer(step, folder, ports, services)
  }

  /** Returns what the commands have printed; if they only start servers, what those have. */
  async run(lines: readonly string[]): Promise<string> {
    let [printed, ofServers] = ['', '']
    for (const line of lines) {
      if (line === 'rm -rf .data') await this.#deleteData()
      if (doneElsewhere.test(line)) continue
      const server = /^((?:[A-Z_]+=\S+ )*)(?:npm run dev|npx tsx (\S+)|node --env-file=(\S+) dist\/(\S+)\.js)$/.exec(
        line,
      )
      if (server !== null) {
        const [, assignments = '', source, envFile, built = 'main'] = server
        const file = envFile === undefined ? '' : await readFile(join(tutorial, this.#step, envFile), 'utf8')
        ofServers += await this.#start(`${file}\n${assignments}`, source ?? `src/${built}.ts`)
      } else if (/^[A-Z]+=eyJ…$/.test(line)) this.#variables += `${this.#tokenOf(line.slice(0, line.indexOf('=')))}\n`
      else if (line === 'sudo nginx -s reload') await this.#startNginx()
      else if (line.startsWith('fuser -k -TERM ')) await this.#endAt(/\d+/.exec(this.#port(line))?.[0] ?? '')
      else if (played.test(line)) printed += await this.#bash(line)
      else throw new Error(`${this.#step}: no test plays the command ${line}`)
    }
    return printed === '' ? ofServers : printed
  }

  /** What the readers see, with their ports. */
  toPage(text: string): string {
    let shown = text
    for (const [port, actual] of this.#ports) shown = shown.replaceAll(String(actual), String(port))
    return shown
  }

  async close(): Promise<void> {
    await this.#nginx?.stop()
    for (const index of this.#servers.keys()) await this.#end(index)
    await rm(this.#folder, { recursive: true, force: true })
  }

  #port(text: string): string {
    return text.replace(/\b(?:8000|8001|8002|8081)\b/g, (port) => String(this.#ports.get(Number(port))))
  }

  async #start(assignments: string, file: string): Promise<string> {
    const given: Record<string, string> = {}
    for (const [, name = '', value = ''] of this.#port(assignments).matchAll(/(?:^| )([A-Z_]+)=(\S+)/gm))
      given[name] = this.#services[name] ?? value
    const port = given['PORT'] ?? String(this.#ports.get(8000))
    // A page that starts it again has stopped it before.
    await this.#endAt(port)
    const child = spawn(
      process.execPath,
      ['--conditions=@twinwire/source', '--import', tsx, join(tutorial, this.#step, file)],
      {
        cwd: this.#folder,
        env: {
          ...process.env,
          NODE_ENV: '',
          PORT: port,
          DEVELOPMENT_ISSUER_PORT: String(this.#ports.get(8081)),
          ...given,
        },
      },
    )
    const server = { child, port, printed: '', ended: false }
    this.#servers.push(server)
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        server.printed += String(chunk)
      })
    await vi.waitFor(
      () => {
        if (child.exitCode !== null || /Listening on http\S+/.test(server.printed)) return
        throw new Error(`${this.#step} does not listen:\n${server.printed}`)
      },
      { timeout: 90_000, interval: 50 },
    )
    return server.printed
  }

  async #endAt(port: string): Promise<void> {
    for (const [index, server] of this.#servers.entries()) if (server.port === port) await this.#end(index)
  }

  /** Readers stop the app before. */
  async #deleteData(): Promise<void> {
    await this.#endAt(String(this.#ports.get(8000)))
    await rm(join(this.#folder, '.data'), { recursive: true, force: true })
  }

  /** With the file of the step, until the end. */
  async #startNginx(): Promise<void> {
    // Started by root, its workers are another user.
    await chmod(this.#folder, 0o755)
    const file = join(this.#folder, 'nginx.conf')
    const site = this.#port(await readFile(join(tutorial, this.#step, 'nginx.conf'), 'utf8'))
    await writeFile(file, toNginxConfig(this.#folder, 300, site))
    const args = ['-e', 'stderr', '-c', file, '-p', this.#folder]
    this.#nginx = await startProxyProcess('nginx', args, [this.#ports.get(8000) ?? 0])
  }

  async #end(index: number): Promise<void> {
    const server = this.#servers[index]
    if (server === undefined || server.ended) return
    server.ended = true
    const { child } = server
    if (child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    expect(await ended, server.printed).toEqual([0, null])
  }

  #tokenOf(variable: string): string {
    const printed = this.#servers.map((server) => server.printed).join('\n')
    const token = new RegExp(`^ *${variable.toLowerCase()} +(eyJ\\S+)$`, 'm').exec(printed)?.[1]
    if (token === undefined) throw new Error(`${this.#step}: no token of ${variable} was printed:\n${printed}`)
    return `${variable}=${token}`
  }

  /** One command, after the variables that were set before. */
  async #bash(line: string): Promise<string> {
    if (/^[A-Z_]+=\S*$/.test(line)) {
      this.#variables += `${line}\n`
      return ''
    }
    // wscat ends when its input does.
    const script = `${this.#variables}
npx() { shift 2; "$NODE" "$WSCAT" "$@" < <(sleep 12 2> /dev/null); }
${this.#port(line)}`
    const child = spawn('bash', ['-c', script], {
      cwd: this.#folder,
      env: { ...process.env, NODE: process.execPath, WSCAT: wscat },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    let printed = ''
    child.stdout.on('data', (chunk) => {
      printed += String(chunk)
    })
    await once(child, 'close')
    return printed === '' || printed.endsWith('\n') ? printed : `${printed}\n`
  }
}

/** Compares what commands have printed with what the page shows, where `…` is any text within a line. */
export function compareOutput(language: string, printed: string, shown: string): void {
  const lines = printed.replaceAll('\r', '').trimEnd().split('\n')
  const wanted = shown.split('\n')
  if (language === 'http' || language === 'console') {
    let from = 0
    for (const line of wanted) {
      const at = lines.findIndex((each, index) => index >= from && toPattern(line).test(each))
      expect(at, `${line}\nis not, in this place, in\n${printed}`).not.toBe(-1)
      from = at + 1
    }
    return
  }
  const differs =
    lines.length !== wanted.length || wanted.some((line, index) => !toPattern(line).test(lines[index] ?? ''))
  if (differs) expect(lines.join('\n')).toBe(shown)
}

function toPattern(line: string): RegExp {
  const parts = line.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
