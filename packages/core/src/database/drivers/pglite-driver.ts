import { isAbsolute, resolve } from 'node:path'
import type { Extension, Extensions, PGlite } from '@electric-sql/pglite'
import { BootError } from '../../base/boot-error.ts'
import { missingPeer } from '../../base/peer.ts'
import { serializers } from '../values/parameters.ts'
import type { DatabaseDriver, DriverConnection, DriverResult, DriverStatement } from './driver.ts'
import { lockFolder } from './folder-lock.ts'

/** PGlite: a PostgreSQL inside this process, in memory or in a folder that one process at a time may use. `extensions`: by name. */
export async function openPglite(url: string, extensions: readonly string[] = []): Promise<DatabaseDriver> {
  const folder = toFolder(url)
  const { PGlite } = await import('@electric-sql/pglite').catch(
    missingPeer('@electric-sql/pglite', "database() requires the package '@electric-sql/pglite' for this url"),
  )
  const options = { extensions: await loadExtensions(extensions) }
  const unlock = folder === null ? null : await lockFolder(folder)
  const server: PGlite = folder === null ? new PGlite(options) : new PGlite(folder, options)
  // The first statement rejects with the reason.
  server.waitReady.catch(() => {})
  const connection = new PgliteConnection(server)
  return {
    location: folder === null ? 'memory (PGlite)' : `${folder} (PGlite)`,
    embedded: true,
    connect: () => connection,
    close: async () => {
      try {
        // A pool that was never used has opened no connection, and closes none.
        if (!server.closed) await server.close()
      } finally {
        await unlock?.()
      }
    },
  }
}

const asText = (text: string): string => text

/** The one connection of a PGlite. A statement cannot be cancelled: it holds the thread that would have to do it. */
class PgliteConnection implements DriverConnection {
  readonly #server: PGlite

  constructor(server: PGlite) {
    this.#server = server
  }

  get lost(): boolean {
    return this.#server.closed
  }

  /** PGlite adds its own parsers while it starts. */
  async open(): Promise<void> {
    await this.#server.waitReady
    for (const type of Object.keys(this.#server.parsers)) this.#server.parsers[type] = asText
    this.#server.serializers = { ...serializers }
  }

  async query({ text, parameters, types }: DriverStatement): Promise<DriverResult> {
    return this.#server.query<(string | null)[]>(text, [...parameters], { rowMode: 'array', paramTypes: [...types] })
  }

  async command(text: string): Promise<string> {
    const results = await this.#server.exec(text)
    return results.at(-1)?.command ?? ''
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}

/** PGlite has each in a module of its own, and an extension that it was not opened with cannot be created later. */
async function loadExtensions(names: readonly string[]): Promise<Extensions> {
  const loaded: Record<string, Extension> = {}
  for (const name of names) loaded[name] = await loadExtension(name)
  return loaded
}

async function loadExtension(name: string): Promise<Extension> {
  const path = `@electric-sql/pglite/contrib/${name}`
  let cause: unknown
  try {
    const module: Record<string, unknown> = await import(path)
    const extension = module[name]
    if (isExtension(extension)) return extension
  } catch (error) {
    cause = error
  }
  throw new BootError(
    'bad_option',
    `database(): embeddedExtensions: '${name}' is not an extension of this @electric-sql/pglite: it has no module ${path}`,
    { cause },
  )
}

function isExtension(value: unknown): value is Extension {
  return typeof value === 'object' && value !== null && 'setup' in value
}

/** Null for memory. */
function toFolder(url: string): string | null {
  const rest = url.replace(/^pglite:\/\//, '')
  if (rest === 'memory') return null
  if (/^\.{1,2}[/\\]/.test(rest) || isAbsolute(rest)) return resolve(rest)
  throw new BootError(
    'bad_option',
    `database(): url '${url}' must be pglite://memory, pglite://./folder or pglite:///absolute/folder`,
  )
}
