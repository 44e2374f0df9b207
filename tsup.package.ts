import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { defineConfig, type Options } from 'tsup'

type Config = ReturnType<typeof defineConfig>
type BuildPlugin = NonNullable<Options['esbuildPlugins']>[number]

// Declarations are the slow part of a build: `npm start` leaves them out, and leaves those that are there alone.
const declarations = process.env.TWINWIRE_BUILD_DTS !== 'off'

/** How every package is built. `entry`: the path of each entry point below `dist`, without its extension, and its source; the main one first. */
export function definePackage(entry: Readonly<Record<string, string>>): Config {
  const common = { entry: { ...entry }, target: 'node20' } satisfies Options
  const scripts: Options = {
    ...common,
    format: ['esm'],
    // Shared chunks: a class exists once, whichever subpath it is imported from.
    splitting: true,
    treeshake: true,
    esbuildPlugins: [inOneChunk(Object.values(entry))],
    esbuildOptions: (options) => {
      // Or esbuild would drop the import that the plugin adds.
      options.ignoreAnnotations = true
      // What is bundled of a sibling package, a development dependency, may have no build yet.
      options.conditions = ['@twinwire/source']
    },
    sourcemap: true,
    clean: declarations ? true : ['!**/*.d.{ts,cts}'],
    onSuccess: async () => writeEntriesForRequire(Object.keys(entry)),
  }
  // Both kinds: a library with declarations of its own for `require`, such as drizzle-orm, has other types there, and
  // those of a CommonJS host must be the ones that ours name.
  const types: Options = { ...common, format: ['esm', 'cjs'], dts: { only: true }, clean: false }
  return defineConfig(declarations ? [scripts, types] : scripts)
}

/**
 * Puts all that the main entry point loads into one chunk. esbuild makes one for each set of entry points that share a file, which would be
 * more than fifteen: an app took 10 ms and 4 MiB more to load them. So every other entry point, and every file that is loaded later, imports
 * the main one.
 */
function inOneChunk([main = '', ...others]: readonly string[]): BuildPlugin {
  const importing = new Set(others.map((path) => resolve(path)))
  return {
    name: 'in-one-chunk',
    setup(build) {
      build.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
        if (kind === 'dynamic-import') importing.add(resolve(resolveDir, path))
        return undefined
      })
      build.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        if (!importing.has(path)) return undefined
        // At the end, so that the lines of source maps stay as they are.
        const contents = `${readFileSync(path, 'utf8')}\nimport ${JSON.stringify(resolve(main))}\n`
        return { contents, loader: 'ts' }
      })
    },
  }
}

/** The code is ESM only, so that there is one copy of it: `require` gets the same module, which Node has allowed since 20.19. */
function writeEntriesForRequire(entries: readonly string[]): void {
  for (const entry of entries) {
    const file = join('dist', `${entry}.cjs`)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `module.exports = require('./${basename(entry)}.js')\n`)
  }
}
