// An app that is bundled into one file finds uWebSockets.js where a strict installation, such as that of pnpm, has it: beside core alone.
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { runNode } from '../support/run-node.ts'

const loader = fileURLToPath(new URL('../../packages/core/src/transport/uws-loader.ts', import.meta.url))

test.each(['in the folder of the app', 'in another folder'])(
  'it is found when the app starts %s',
  async (where) => {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'twinwire-bundle-')))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const app = join(folder, 'app')
    const store = join(folder, 'store/node_modules')
    const files = {
      [join(store, '@twinwire/core/package.json')]:
        '{"name":"@twinwire/core","exports":{"./package.json":"./package.json"}}',
      [join(store, 'uWebSockets.js/package.json')]: '{"name":"uWebSockets.js","main":"uws.js"}',
      [join(store, 'uWebSockets.js/uws.js')]: '',
      [join(app, 'package.json')]: '{"name":"app","type":"module"}',
    }
    for (const [file, content] of Object.entries(files)) {
      await mkdir(dirname(file), { recursive: true })
      await writeFile(file, content)
    }
    await mkdir(join(app, 'node_modules/@twinwire'), { recursive: true })
    await symlink(join(store, '@twinwire/core'), join(app, 'node_modules/@twinwire/core'))
    await build({
      stdin: {
        contents: `import { resolveUws } from ${JSON.stringify(loader)}\nconsole.log(resolveUws())`,
        resolveDir: app,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['@twinwire/source'],
      outfile: join(app, 'dist/main.js'),
      logLevel: 'warning',
    })
    // pnpm's commands set it, to a folder that has all packages.
    const { NODE_PATH: _hidden, ...env } = process.env
    const cwd = where === 'in another folder' ? tmpdir() : app
    expect(await runNode([join(app, 'dist/main.js')], { cwd, env })).toEqual({
      code: 0,
      output: `${join(store, 'uWebSockets.js/uws.js')}\n`,
    })
  },
  60_000,
)
