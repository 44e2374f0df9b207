import { BootError } from '../../base/boot-error.ts'
import type { DatabaseDriver, DriverOptions, OpenDriver } from './driver.ts'

/** Loaded when needed: an app has the peers of one of them. */
const drivers: Readonly<Record<string, () => Promise<OpenDriver>>> = {
  postgres: async () => (await import('./postgres-driver.ts')).openPostgres,
  postgresql: async () => (await import('./postgres-driver.ts')).openPostgres,
  pglite: async () => (await import('./pglite-driver.ts')).openPglite,
}

/** Chooses by the scheme of the url. */
export async function openDriver(options: DriverOptions): Promise<DatabaseDriver> {
  const scheme = /^([a-z]+):\/\//.exec(options.url)?.[1] ?? ''
  const load = Object.hasOwn(drivers, scheme) ? drivers[scheme] : undefined
  if (load === undefined) {
    // The url is not quoted: it may hold a password.
    throw new BootError('bad_option', 'The url of database() must start with postgres://, postgresql:// or pglite://')
  }
  const open = await load()
  return open(options)
}
