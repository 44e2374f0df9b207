import type { Call } from '../call/call.ts'
import { AppError, UnavailableError } from '../errors/app-error.ts'
import { around, guard, type Next, type Step } from '../pipeline/step.ts'
import type { PluginKey } from '../plugin/plugin-key.ts'
import { type Database, type DatabaseApi, databaseKey } from './database.ts'

/** What both steps add to the call. */
export interface WithDatabase {
  readonly db: Database
}

type DatabaseStep<Kind extends 'guard' | 'around'> = Step<
  Kind,
  WithDatabase,
  Call,
  unknown,
  PluginKey<'database', DatabaseApi>
>

/**
 * Adds `db` to the call: the pool's handle, each query for itself. For reads, and for checks that look into a table.
 *
 * @example
 * use: [withDb()],
 * handler: ({ id }, { db }) => new AuthorRepository(db).getById(id),
 */
export function withDb(): DatabaseStep<'guard'> {
  return guard({
    name: 'database.withDb',
    needs: databaseKey,
    bind: ({ db }) => {
      const adds: WithDatabase = { db }
      return () => adds
    },
  })
}

/**
 * Runs the command or handler in a transaction and adds it as `db`. Commits when the handler succeeds, rolls back when it
 * throws, and when the call has ended meanwhile: the client left, or the deadline passed and was answered. Publications
 * and `afterCommit` wait for the commit.
 *
 * @example
 * use: [transaction()],
 * command: ({ db }) => new CreateAuthorCommand(new AuthorRepository(db)),
 */
export function transaction(): DatabaseStep<'around'> {
  return around({
    name: 'database.transaction',
    holdsEffects: true,
    needs: databaseKey,
    bind: (api) => (call: Call, next: Next<WithDatabase>) =>
      api.transaction(async (tx) => {
        // A slot of the pool may have been long in coming.
        refuseEnded(call)
        const outcome = await next({ db: tx })
        refuseEnded(call)
        return outcome
      }),
  })
}

/** What is thrown rolls back; nobody waits for the answer any more. */
function refuseEnded({ signal }: Call): void {
  if (!signal.aborted) return
  if (AppError.is(signal.reason)) throw signal.reason
  throw new UnavailableError('The call ended before its transaction was committed', { cause: signal.reason })
}
