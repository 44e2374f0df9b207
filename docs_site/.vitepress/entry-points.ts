import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../packages/', import.meta.url))

export interface EntryPoint {
  /** As it is imported, `@twinwire/core/plugin`. */
  readonly name: string
  /** Its source, an absolute path. */
  readonly source: string
  /** Its page below `reference`, `core-plugin`. */
  readonly page: string
}

interface Manifest {
  readonly name: string
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>
  readonly publishConfig?: { readonly exports?: Readonly<Record<string, unknown>> }
}

/** Those that are published, in the order of packages and of their `exports`. */
export const entryPoints: readonly EntryPoint[] = readdirSync(packages).flatMap((folder) => {
  const manifest: Manifest = JSON.parse(readFileSync(`${packages}${folder}/package.json`, 'utf8'))
  const published = Object.keys(manifest.publishConfig?.exports ?? manifest.exports ?? {})
  return published.flatMap((path) => {
    const conditions = manifest.exports?.[path]
    const source = typeof conditions === 'object' ? conditions['@twinwire/source'] : undefined
    if (typeof source !== 'string') return []
    const name = `${manifest.name}${path.slice(1)}`
    return [
      {
        name,
        source: `${packages}${folder}/${source.slice(2)}`,
        page: name.slice('@twinwire/'.length).replaceAll('/', '-'),
      },
    ]
  })
})
