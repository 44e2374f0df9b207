import type { CallOptions } from '@twinwire/client'
import { isFields, listOf } from '../model/json.ts'
import { type Operation, statusNames } from '../model/model.ts'
import type { Activity, Entry } from './activity.ts'
import { type Calling, failureOf } from './failure.ts'
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
  /** As it is when it is asked. */
  readonly calling: () => Calling
}

const wireNames = { ws: 'WebSocket', http: 'HTTP' } as const
const maxItems = 1_000

/** Calls a route over a wire, and logs what becomes of it. It never rejects: a failure is what there is to see. */
export async function send(
  { client, activity, traces, calling }: Caller,
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
    return activity.update(entry, {
      state: 'failed',
      facts: facts(),
      ...failureOf(error, signal.aborted, operation, calling()),
    })
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
