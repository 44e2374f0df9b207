import { CallError, type CallOptions } from '@twinwire/client'
import { isFields, listOf } from '../model/json.ts'
import { missingOf, type Operation, sayDemands, statusNames } from '../model/model.ts'
import type { Activity, Entry, NewEntry } from './activity.ts'
import type { Trace, Traces } from './recording.ts'

/** The client as it is without the types of an app. */
export interface UntypedClient {
  call(name: string, input: unknown, options: CallOptions): Promise<unknown>
  stream(name: string, input: unknown, options: CallOptions): AsyncGenerator<unknown, void, undefined>
}

export interface Caller {
  readonly client: UntypedClient
  readonly activity: Activity
  readonly traces: Traces
  /** Roles of who is signed in; null: no user is, or the token does not say. */
  readonly roles: readonly string[] | null
}

const wireNames = { ws: 'WebSocket', http: 'HTTP' } as const
const maxItems = 1_000

/** Calls a route over a wire, and logs what becomes of it. It never rejects: a failure is what there is to see. */
export async function send(
  { client, activity, traces, roles }: Caller,
  operation: Operation,
  wire: 'http' | 'ws',
  input: unknown,
  signal: AbortSignal,
): Promise<Entry> {
  const { name, pkgId, reply } = operation
  const trace = traces.begin(name, wire, wire === 'ws' ? pkgId : null)
  const entry = activity.add({
    kind: 'call',
    title: name,
    state: 'waiting',
    facts: [wireNames[wire]],
    message: 'Waiting for the reply',
    data: undefined,
  })
  const begun = performance.now()
  const facts = (): readonly string[] => [
    wireNames[wire],
    ...statusOf(trace),
    `${(performance.now() - begun).toFixed(1)} ms`,
  ]
  try {
    if (reply !== 'stream') {
      const data = await client.call(name, input, { wire, signal })
      return activity.update(entry, { state: 'ok', facts: facts(), message: countOf(data, trace), data })
    }
    const items: unknown[] = []
    let count = 0
    for await (const item of client.stream(name, input, { wire, signal })) {
      count += 1
      items.push(item)
      if (items.length > maxItems) items.shift()
      activity.update(entry, { message: sayItems(count), facts: facts(), data: [...items] })
    }
    return activity.update(entry, { state: 'ok', facts: facts(), message: `${sayItems(count)}, the end`, data: items })
  } catch (error) {
    return activity.update(entry, { state: 'failed', facts: facts(), ...failureOf(error, signal, operation, roles) })
  } finally {
    traces.end(trace)
  }
}

function statusOf({ statusCode, httpStatus }: Trace): readonly string[] {
  return [
    ...(statusCode === null ? [] : [`status_code ${statusCode} ${statusNames[statusCode] ?? ''}`.trim()]),
    ...(httpStatus === null ? [] : [`HTTP ${httpStatus}`]),
  ]
}

function sayItems(count: number): string {
  return count === 1 ? '1 item' : `${count} items`
}

function countOf(data: unknown, { meta }: Trace): string {
  const isPage = isFields(data) && Array.isArray(data['items'])
  const items = isPage ? listOf(data['items']) : data
  const said = Array.isArray(items) ? sayItems(items.length) : 'Done'
  // That of a page is in the data.
  return meta === null || isPage ? said : `${said}, meta ${JSON.stringify(meta)}`
}

function failureOf(
  error: unknown,
  signal: AbortSignal,
  { demands, access }: Operation,
  roles: readonly string[] | null,
): Pick<NewEntry, 'data' | 'message'> {
  if (signal.aborted) return { message: 'Stopped', data: undefined }
  // An input that has no place in a request, for example.
  if (!(error instanceof CallError))
    return { message: error instanceof Error ? error.message : String(error), data: undefined }
  const { code, msg, details, retryAfterMs, outcomeUnknown } = error
  const facts = [
    `${code}: ${msg}`,
    ...(retryAfterMs === null ? [] : [`Try again after ${retryAfterMs} ms`]),
    ...(outcomeUnknown ? ['It may have been executed'] : []),
    ...(code === 'permission_denied' || code === 'authentication_failed' ? sayMissing(demands, access, roles) : []),
  ]
  return { message: facts.join('\n'), data: details ?? undefined }
}

function sayMissing(demands: Operation['demands'], access: string, roles: readonly string[] | null): readonly string[] {
  const needs = sayDemands(demands)
  if (roles === null)
    return access === 'public' ? [] : [`It needs ${needs === '' ? 'a signed-in user' : needs}; you are not signed in`]
  const missing = missingOf(demands, roles)
  const lines = [`It needs: ${needs || 'no role'}`, `You have: ${roles.join(', ') || 'no role'}`]
  if (missing === null) return lines
  return [
    ...lines,
    `You lack: ${[...missing.roles, ...missing.oneOf.map((group) => `one of ${group.join(', ')}`)].join(', ')}`,
  ]
}
