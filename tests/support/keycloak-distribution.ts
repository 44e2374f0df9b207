import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { endWithThisProcess, removeWithThisProcess, signalGroup } from './child-group.ts'
import { freePort } from './service.ts'

const keycloakVersion = '26.4.7'

/** Written last: a folder without it is incomplete. */
const marker = 'twinwire-ready'

/** Folder of the distribution: outside the checkout, so that it survives a fresh clone. */
export function distributionFolder(): string {
  const cache = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  return join(cache, 'twinwire', `keycloak-${keycloakVersion}`)
}

export function isDistributionInstalled(): boolean {
  return existsSync(join(distributionFolder(), marker))
}

export function hasJava(): boolean {
  return spawnSync('java', ['-version']).status === 0
}

/**
 * Downloads Keycloak from Maven Central into the cache folder and prepares it for `start-dev`, once, so that a start takes seconds instead of
 * minutes. With concurrent callers the first to finish wins.
 */
export async function installDistribution(): Promise<string> {
  const folder = distributionFolder()
  if (isDistributionInstalled()) return folder
  const parent = join(folder, '..')
  await mkdir(parent, { recursive: true })
  const work = await mkdtemp(join(parent, 'install-'))
  const keep = removeWithThisProcess(work)
  try {
    await fetchZip(work)
    const unpacked = await unpack(work)
    await prepareStart(unpacked)
    await writeFile(join(unpacked, marker), '')
    if (existsSync(folder) && !isDistributionInstalled()) await rm(folder, { recursive: true, force: true })
    await rename(unpacked, folder).catch((error: unknown) => {
      if (!isDistributionInstalled()) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
    keep()
  }
  return folder
}

/** Tries three times: a lost connection must not fail the whole run. */
async function fetchZip(work: string): Promise<void> {
  const artifact = `org.keycloak:keycloak-quarkus-dist:${keycloakVersion}:zip`
  const args = ['-q', '-B', 'dependency:copy', `-Dartifact=${artifact}`, `-DoutputDirectory=${work}`]
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await run('mvn', args, work)
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function unpack(work: string): Promise<string> {
  const zip = join(work, `keycloak-quarkus-dist-${keycloakVersion}.zip`)
  if (spawnSync('unzip', ['-v']).status === 0) await run('unzip', ['-q', zip], work)
  else await run('jar', ['xf', zip], work)
  await rm(zip)
  const name = (await readdir(work)).find((each) => each.startsWith('keycloak-'))
  if (name === undefined) throw new Error(`${zip} does not contain a folder of Keycloak`)
  // `jar` does not keep the execute permission.
  await run('chmod', ['+x', join(work, name, 'bin', 'kc.sh')], work)
  return join(work, name)
}

/**
 * The first `start-dev` builds the server and stores the result; `build` does not do that for development. It is done when the server
 * starts to run.
 */
async function prepareStart(home: string): Promise<void> {
  const args = ['start-dev', '--http-host=127.0.0.1', `--http-port=${await freePort()}`]
  const child = spawn(join(home, 'bin', 'kc.sh'), args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  endWithThisProcess(child)
  const closed = new Promise((resolve) => child.once('close', resolve))
  let output = ''
  let isPrepared = false
  const onOutput = (text: string): void => {
    output += text
    if (isPrepared || !output.includes('Running the server in development mode')) return
    isPrepared = true
    signalGroup(child, 'SIGKILL')
  }
  child.stdout.setEncoding('utf8').on('data', onOutput)
  child.stderr.setEncoding('utf8').on('data', onOutput)
  await closed
  if (!isPrepared) throw new Error(`Keycloak could not be prepared:\n${output.slice(-4000)}`)
  await rm(join(home, 'data'), { recursive: true, force: true })
}

function run(command: string, args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    endWithThisProcess(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ended with ${code}:\n${output.slice(-4000)}`))
    })
  })
}
