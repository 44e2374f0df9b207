import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import type { Profile, Shared } from './apps.ts'

const Started = v.object({
  core: v.string(),
  ports: v.object({ bare: v.number(), edges: v.number(), full: v.number() }),
})
const Lines = v.object({ lines: v.array(v.string()) })

/** The three apps on the packages of one checkout, in a process of their own. */
export interface Build {
  readonly ports: { readonly [Name in Profile]: number }
  /** What the hooks and the log of `edges` have seen so far. */
  lines(): Promise<readonly string[]>
  stop(): Promise<void>
}

export async function startBuild(folder: string, shared: Shared): Promise<Build> {
  const core = join(folder, 'packages/core')
  if (!existsSync(join(core, 'dist/index.js'))) throw new Error(`${folder} is not built: run \`npm run build\` there`)
  const place = copyBeside(folder)
  const child = fork(join(place, 'tests/differential/server.ts'), {
    execArgv: ['--import', import.meta.resolve('tsx')],
    env: { ...process.env, TWINWIRE_DIFFERENTIAL: JSON.stringify(shared) },
  })
  const { core: loaded, ports } = v.parse(Started, await answer(child))
  // Otherwise a build would be compared with itself.
  if (!realpathSync(fileURLToPath(loaded)).startsWith(realpathSync(core)))
    throw new Error(`The server of ${folder} has loaded ${loaded}`)
  return {
    ports,
    async lines() {
      child.send('lines')
      return v.parse(Lines, await answer(child)).lines
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.disconnect()
        await once(child, 'exit')
      }
      rmSync(place, { recursive: true, force: true })
    },
  }
}

/** The server, beside a link to the packages that the tests of another checkout get. */
function copyBeside(folder: string): string {
  const place = mkdtempSync(join(tmpdir(), 'twinwire-differential-'))
  cpSync(dirname(fileURLToPath(import.meta.url)), join(place, 'tests/differential'), { recursive: true })
  writeFileSync(join(place, 'tests/package.json'), '{"type":"module"}')
  symlinkSync(join(folder, 'tests/node_modules'), join(place, 'tests/node_modules'))
  return place
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code, signal) => reject(new Error(`A server has ended with ${signal ?? code}`)))
  })
}
