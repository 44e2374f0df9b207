import { BootError } from '../base/boot-error.ts'
import type { Database } from './database.ts'

/** Of the pages of all repositories of an app. */
export interface PageOptions {
  /** Rows of a page when `perPage` is not given. Default 20. */
  readonly defaultSize?: number | undefined
  /** Most rows of a page. Default 1000. */
  readonly maxSize?: number | undefined
  /**
   * Signs cursors, so that nobody can make one up; at least 16 characters, the same in all processes. Without it a cursor
   * carries a checksum: it cannot be taken to another query, but who knows how may write one that starts at another row of
   * the same query. Default none.
   */
  readonly cursorSecret?: string | undefined
}

/** What holds when a repository is made. */
export interface PageSettings {
  readonly defaultSize: number
  readonly maxSize: number
  readonly cursorSecret: string
}

export const pageDefaults: PageSettings = { defaultSize: 20, maxSize: 1000, cursorSecret: '' }

/** Shorter ones can be guessed from one cursor. */
export const minSecretLength = 16

/** A page lies in memory whole. */
export const mostPageSize = 100_000

/**
 * A repository is made from the handle of a call: the pool's, a transaction's or a savepoint's. What all of one database have
 * in common is the schema object that they were opened with, so that is what the settings are found by.
 */
const settingsBySchema = new WeakMap<object, PageSettings>()

/** Throws BootError `bad_option`. */
export function definePageSettings(schema: object, options: PageOptions): void {
  const { defaultSize = pageDefaults.defaultSize, maxSize = pageDefaults.maxSize, cursorSecret } = options
  for (const [name, value] of Object.entries({ maxSize, defaultSize })) {
    const most = name === 'maxSize' ? mostPageSize : maxSize
    if (Number.isSafeInteger(value) && value >= 1 && value <= most) continue
    throw new BootError('bad_option', `${name} of pages of database() must be a whole number from 1 to ${most}`)
  }
  if (cursorSecret !== undefined && (typeof cursorSecret !== 'string' || cursorSecret.length < minSecretLength)) {
    throw new BootError(
      'bad_option',
      `cursorSecret of pages of database() must be a text of at least ${minSecretLength} characters`,
    )
  }
  settingsBySchema.set(schema, { defaultSize, maxSize, cursorSecret: cursorSecret ?? '' })
}

/** Those of the plugin that made the handle; the defaults for a handle of the user's own. */
export function pageSettingsOf(db: Database): PageSettings {
  return settingsBySchema.get(db._.fullSchema) ?? pageDefaults
}
