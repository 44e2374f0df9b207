import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { defineConfig, type Options } from 'tsup'

type Config = ReturnType<typeof defineConfig>

// Declarations are the slow part of a build: `npm start` leaves them out, and leaves those that are there alone.
const declarations = process.env.TWINWIRE_BUILD_DTS !== 'off'

/** How every package is built. `entry`: the path of each entry point below `dist`, without its extension, and its source. */
export function definePackage(entry: Readonly<Record<string, string>>): Config {
  const common = { entry: { ...entry }, target: 'node20' } satisfies Options
  const scripts: Options = {
    ...common,
    format: ['esm'],
    // Shared chunks: a class exists once, whichever subpath it is imported from.
    splitting: true,
    treeshake: true,
    sourcemap: true,
    clean: declarations ? true : ['!**/*.d.{ts,cts}'],
    onSuccess: async () => writeEntriesForRequire(Object.keys(entry)),
  }
  // Both kinds: a library with declarations of its own for `require`, such as drizzle-orm, has other types there, and
  // those of a CommonJS host must be the ones that ours name.
  const types: Options = { ...common, format: ['esm', 'cjs'], dts: { only: true }, clean: false }
  return defineConfig(declarations ? [scripts, types] : scripts)
}

/** The code is ESM only, so that there is one copy of it: `require` gets the same module, which Node has allowed since 20.19. */
function writeEntriesForRequire(entries: readonly string[]): void {
  for (const entry of entries) {
    const file = join('dist', `${entry}.cjs`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `module.exports = require('./${basename(entry)}.js')\n`)
  }
}
