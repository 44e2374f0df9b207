import { fileURLToPath } from 'node:url'
import { BootError } from '@twinwire/core'
import * as v from 'valibot'

// `src` and `dist` lie side by side, so this is the example's own folder for both, wherever it is started from.
const dataFolder = fileURLToPath(new URL('../.data', import.meta.url))

const portMessage = 'must be a whole number from 0 to 65535'

/** Settings by the names of their environment variables. */
const SettingsSchema = v.object({
  /** 0 takes a free port. */
  PORT: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,5}$/, portMessage), v.transform(Number), v.maxValue(65_535, portMessage)),
    '8000',
  ),
  HOST: v.optional(v.pipe(v.string(), v.regex(/^[\w.:-]+$/, 'must be a host name or an IP address')), '127.0.0.1'),
  DATABASE_URL: v.optional(
    v.pipe(v.string(), v.regex(/^(postgres|postgresql|pglite):\/\/./, 'must start with postgres:// or pglite://')),
    `pglite://${dataFolder}`,
  ),
})

export interface Settings {
  readonly port: number
  readonly host: string
  /** `postgres://…`, or `pglite://…` for a PostgreSQL inside this process. */
  readonly databaseUrl: string
}

/**
 * Reads the environment, once, at start. Throws a BootError that names every variable that is wrong; values are not
 * repeated in it, because an address of a database holds a password. An empty variable counts as not set.
 */
export function readSettings(env: Readonly<Record<string, string | undefined>>): Settings {
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const result = v.safeParse(SettingsSchema, set)
  if (!result.success) {
    const problems = result.issues.map((issue) => `  ${v.getDotPath(issue)} ${issue.message}`)
    throw new BootError('settings_invalid', ['The settings are not right:', ...problems].join('\n'))
  }
  const { PORT: port, HOST: host, DATABASE_URL: databaseUrl } = result.output
  return { port, host, databaseUrl }
}
