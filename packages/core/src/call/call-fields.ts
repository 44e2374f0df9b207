import type { ActiveCall } from './active-call.ts'
import { traceIdOf } from './traceparent.ts'

/** What every line about a call says of it. `endpoint` is the pattern of the route and never the path: its values are bounded. */
export function callFields(call: ActiveCall): Record<string, unknown> {
  const { id, wire, route, identity, address, traceparent } = call
  const fields: Record<string, unknown> = { request_id: id, wire, route: route.name }
  if (wire === 'ws') fields.pkg_id = call.pkgId
  else {
    if (route.method !== null) fields.method = route.method
    // Of a request that no route handles that is 'unmatched'.
    fields.endpoint = route.path ?? route.name
    if (route.path === null) fields.path = call.origin.requestedPath
  }
  fields.user_id = identity?.id ?? null
  fields.address = address
  if (traceparent !== null) fields.trace_id = traceIdOf(traceparent)
  return fields
}
