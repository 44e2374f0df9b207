import { BootError } from '@twinwire/core'
import { type MigrationEntry, migrate, migrationStatus } from '@twinwire/core/database'
import { declaredSettings } from './settings.ts'

/** `npm run db:migrate` applies what is pending; `npm run db:status` only lists the migrations, and exits with 1 when one is not applied. */
async function main(command: string | undefined): Promise<void> {
  const { url, pool, connect } = declaredSettings.read().database
  const migrations = new URL('../drizzle', import.meta.url)
  const options = { url, pool, connect, migrations, embeddedExtensions: ['pg_trgm'] }
  const entries = command === 'status' ? await migrationStatus(options) : await migrate(options)
  for (const entry of entries) console.log(toLine(entry))
  if (entries.some(({ state }) => state !== 'applied')) process.exitCode = 1
}

const toLine = ({ tag, state, problem }: MigrationEntry): string =>
  `${state.padEnd(7)}  ${tag}${problem === undefined ? '' : `\n         cannot be applied: ${problem}`}`

main(process.argv[2]).catch((error: unknown) => {
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
