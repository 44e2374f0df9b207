import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
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
  const packagesOf = fileURLToPath(new URL('../bench/lib/packages-of.mjs', import.meta.url))
  const child = fork(fileURLToPath(new URL('server.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx', '--import', packagesOf],
    env: { ...process.env, TWINWIRE_PACKAGES_OF: folder, TWINWIRE_DIFFERENTIAL: JSON.stringify(shared) },
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
      if (child.exitCode !== null || child.signalCode !== null) return
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', (code, signal) => reject(new Error(`A server has ended with ${signal ?? code}`)))
  })
}
