import { BootError } from '../../base/boot-error.ts'
import type { PluginKey } from '../../base/plugin-key.ts'
import type { Call } from '../../call/call.ts'
import { type AnyStep, onceStep, type Step } from '../../route/step.ts'
import { type DatabaseApi, databaseKey } from '../database.ts'
import { isReadOnlyTransaction } from '../steps.ts'
import { onceOf } from './once.ts'
import type { OnceOptions } from './once-options.ts'

/**
 * A call that is repeated, because its answer was lost, has its effect once, and gets the reply of the first one. Written directly before the
 * `transaction()` of the route: the key, what the handler writes and the reply are committed together, so that a rollback leaves no key. The key
 * is the identity, the route and, over WebSocket, the `req_id`; over HTTP the header `Idempotency-Key`, where a UUID is the same as that
 * `req_id`. A repeated call runs neither the checks behind `transaction()` nor the handler, on whichever node and wire it comes.
 *
 * The same key with another input is `idempotency_mismatch`. A call waits for a first one that is still running, at most until its own deadline:
 * `idempotency_in_progress`. Effects outside of the database are not covered.
 *
 * Needs `onceTable` in the database. Boot errors: `bad_option`, `unknown_option`, `bad_step_order`, `bad_route`, `missing_table`.
 *
 * @example
 * use: [once({ retention: 86_400_000 }), transaction({ retries: 3 })],
 * command: ({ db }) => new CreateAuthorCommand(new AuthorRepository(db)),
 */
export function once(
  options: OnceOptions,
): Step<'interceptor', void, Call, unknown, PluginKey<'database', DatabaseApi>, 'database.once'> {
  return onceStep({
    name: 'database.once',
    once: { retentionMs: options.retention, required: options.required ?? false },
    needs: databaseKey,
    bind: (api, route) => {
      const calls = onceOf(api)
      if (calls !== undefined) return { ...calls.bind(options, route), refuse }
      throw new BootError('missing_plugin', `Route ${route.name}: once() needs the plugin database() itself`)
    },
  })
}

function refuse(next: AnyStep): string | null {
  if (!isReadOnlyTransaction(next)) return null
  return 'once() writes its key, and the transaction() behind it is readOnly: remove readOnly, or once()'
}
