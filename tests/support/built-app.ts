import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plugin } from 'esbuild'
import { bundle } from './bundle.ts'
import { type ChildApp, startBuiltApp } from './child-app.ts'

/** An application that is built once and started often, in less time than from its sources. */
export interface BuiltApp {
  start(env: Readonly<Record<string, string>>): Promise<ChildApp>
  remove(): Promise<void>
}

/** `file`: of `tests/support`. Libraries are not in the build, but found where the sources find them. */
export async function buildApp(file: string): Promise<BuiltApp> {
  const { text } = await bundle(`support/${file}`, { platform: 'node', plugins: [librariesOutside] })
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-app-'))
  const built = join(folder, 'app.mjs')
  await writeFile(built, text)
  return {
    start: (env) => startBuiltApp([built], env),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

const librariesOutside: Plugin = {
  name: 'libraries-outside',
  setup(build) {
    build.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...from }) => {
      if (pluginData === librariesOutside || path.startsWith('@twinwire/')) return undefined
      const { resolveDir, importer, kind } = from
      const found = await build.resolve(path, { resolveDir, importer, kind, pluginData: librariesOutside })
      return found.errors.length > 0 ? undefined : { path: found.path, external: true }
    })
  },
}
