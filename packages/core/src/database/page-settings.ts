import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import { badOption } from '../base/options.ts'
import type { Database } from './database.ts'

/** For the pages of all repositories of an app. */
export interface PageOptions {
  /** Rows of a page when `perPage` is not set. 1 to `maxSize`, default 20. */
  readonly defaultSize?: number | undefined
  /** Maximum rows of a page: a larger `perPage` is reduced to it. 1 to 100,000, default 1000. */
  readonly maxSize?: number | undefined
  /**
   * Signs cursors, so that a client cannot construct one; at least 16 characters, the same in all processes. Without it a cursor carries a
   * checksum: it cannot be used for another query, but a client that knows the format can construct one that starts at another row
   * of the same query. Default none.
   */
  readonly cursorSecret?: string | undefined
}

/** Settings of the pages of one database. */
export interface PageSettings {
  readonly defaultSize: number
  readonly maxSize: number
  /** '' for none. */
  readonly cursorSecret: string
}

/** A page is in memory as a whole. */
const size = { min: 1, max: 100_000 }

/** Of the options, and of their environment variables. */
export const pageRules: {
  readonly defaultSize: OptionRule<number>
  readonly maxSize: OptionRule<number>
  readonly cursorSecret: OptionRule<string | undefined>
} = {
  defaultSize: option.integer({ ...size, default: 20 }),
  maxSize: option.integer({ ...size, default: 1000 }),
  // A shorter secret can be guessed from one cursor.
  cursorSecret: option.string({
    expects: 'a string of at least 16 characters',
    test: (secret) => secret.length >= 16,
    secret: true,
  }),
}

const defaults: PageSettings = { defaultSize: 20, maxSize: 1000, cursorSecret: '' }

/**
 * A repository is created from the handle of a call: the pool's, a transaction's or a savepoint's. What all handles of one database have
 * in common is the schema object that they were opened with, so the settings are found by it.
 */
const settingsBySchema = new WeakMap<object, PageSettings>()

/** Throws BootError `bad_option`. */
export function definePageSettings(
  schema: object,
  { defaultSize, maxSize, cursorSecret = '' }: Omit<PageSettings, 'cursorSecret'> & Pick<PageOptions, 'cursorSecret'>,
): void {
  if (defaultSize > maxSize) {
    throw badOption('database()', 'pages.defaultSize', `must be at most pages.maxSize (${maxSize})`, defaultSize)
  }
  settingsBySchema.set(schema, { defaultSize, maxSize, cursorSecret })
}

/** Settings of the plugin that opened the handle; the defaults for a handle that the application has created itself. */
export function pageSettingsOf(db: Database): PageSettings {
  return settingsBySchema.get(db._.fullSchema) ?? defaults
}
