import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type Metafile } from 'esbuild'

const tests = join(dirname(fileURLToPath(import.meta.url)), '..')

export interface Bundle {
  readonly text: string
  readonly metafile: Metafile
}

/** Bundles a file of `tests`, or a source text as if it were in `tests/support`, with the sources of the packages. */
export async function bundle(entry: string | { readonly source: string }, options: BuildOptions): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    ...options,
    ...(typeof entry === 'string'
      ? { entryPoints: [join(tests, entry)] }
      : { stdin: { contents: entry.source, loader: 'ts', resolveDir: join(tests, 'support'), sourcefile: 'page.ts' } }),
    bundle: true,
    absWorkingDir: tests,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@twinwire/source'],
    logLevel: 'silent',
  })
  return { text: outputFiles.map(({ text }) => text).join(''), metafile }
}
