import type { Manifest, ManifestRoute } from '@twinwire/client'
import { numberOf } from './json.ts'
import type { Model, Operation } from './model.ts'
import { kindOf } from './schema.ts'

/** What a client needs, read from the documents instead of from `app.manifest()`. */
export function toManifest({ address, operations, events, closes, limits }: Model): Manifest {
  return {
    version: 1,
    path: address ?? '/',
    maxMessageBytes: numberOf(limits['max_message_bytes']) ?? Number.POSITIVE_INFINITY,
    routes: Object.fromEntries(operations.map((each) => [each.name, toRoute(each)])),
    events: Object.fromEntries(events.map(({ name, pkgId }) => [name, { pkgId }])),
    // A row of a code whose reasons differ is for that reason; otherwise it is for all of the code.
    closes: closes.map(({ code, reason, reconnect }) => ({
      code,
      ...(closes.filter((each) => each.code === code).length > 1 && { reason }),
      reconnect,
    })),
  }
}

function toRoute({ pkgId, http, reply, once, ws, overHttp }: Operation): ManifestRoute {
  const hasOutput = [ws, overHttp].some(
    (side) => side !== null && side.output !== null && kindOf(side.output) !== 'unknown',
  )
  return {
    ...(pkgId !== null && { pkgId }),
    ...(http !== null && { http }),
    ...(overHttp !== null && overHttp.query.length > 0 && { query: overHttp.query }),
    ...(once && { once }),
    // Without a declared output the reply is a page if it comes with `meta`.
    ...(reply !== 'value' ? { reply } : !hasOutput && { reply: 'any' }),
  }
}
