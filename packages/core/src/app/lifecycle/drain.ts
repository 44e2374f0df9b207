import type { Clock } from '../../base/clock.ts'
import type { ActiveCall } from '../../call/active-call.ts'
import type { CallServices } from '../../call/call-services.ts'
import { UnavailableError } from '../../errors/app-error.ts'
import { disconnects } from '../../errors/disconnect.ts'
import { EventReader } from '../../http/events/event-reader.ts'
import type { HttpWire } from '../../http/http-wire.ts'
import type { Transport } from '../../transport/transport.ts'
import type { WireConnection } from '../../websocket/wire.ts'
import { spread } from './spread.ts'

/** Extra time to receive the reply, for clients whose call was awaited past the drain timeout. */
const lateFlushMs = 1000

/**
 * For clients that sent frames during the drain to read their last answers and the close frame: what they send until then is unread when the sockets
 * are closed, and TCP then resets the connection, with what the client has not read yet.
 */
const lingerMs = 200

/** For the temporary files of calls that were still running: the process may exit once the app has closed. */
const removalMs = 1000

interface DrainOptions {
  readonly services: CallServices
  readonly transport: Pick<Transport, 'flushed'>
  readonly http: HttpWire
  readonly open: ReadonlySet<WireConnection>
  /** Work that continues after its call has been answered: effects after a commit, streamed bodies. */
  readonly tracked: ReadonlySet<Promise<unknown>>
  readonly timeoutMs: number
  /** Length of the last part of the drain, over which closes are spread so that clients do not all reconnect at once. */
  readonly spreadMs: number
}

/** How long connections that were accepted last have to send their request: it is served, and not refused by the drain. */
const lastRequestMs = 200

/** Calls are still served, and readiness is 503 already; then those on connections that were accepted before the port closed. */
export async function serveOn(
  transport: Pick<Transport, 'endConnections' | 'stopAccepting'>,
  clock: Clock,
  delayMs: number,
): Promise<void> {
  const wait = (ms: number): Promise<void> => new Promise((resolve) => void clock.timer(ms, resolve))
  transport.endConnections?.()
  await wait(delayMs)
  transport.stopAccepting()
  await wait(lastRequestMs)
}

/**
 * Closes everything within `timeoutMs`. Calls in flight may finish until the spread begins; then connections are closed one by one, spread
 * over time. A call that is still running is answered with `unavailable`, so every call gets a reply. A call whose COMMIT was sent is awaited
 * for up to `commitTimeoutMs` longer. Finally it waits until clients have received all queued bytes, including the close frame.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { services, transport, http, open, tracked, timeoutMs } = options
  const { clock } = services
  const spreadMs = Math.min(options.spreadMs, timeoutMs)
  const endMs = clock.monotonic() + timeoutMs
  const leftMs = (): number => Math.max(0, endMs - clock.monotonic())
  const received = [...open][0]?.shared.instruments.received ?? null
  const receivedBefore = received?.value
  const isIdle = (): boolean => {
    if (http.running.size > 0 || tracked.size > 0) return false
    for (const { inFlight, hasHeldFrames } of open) if (inFlight > 0 || hasHeldFrames) return false
    return true
  }
  for (const body of http.streams) body.endWhenIdle()
  await untilIdle(services, isIdle, timeoutMs - spreadMs)
  const committing: Promise<unknown>[] = []
  await spread(clock, inOrderOfClose([...open, ...http.events.open]), { spreadMs, limitMs: leftMs() }, (connection) => {
    if (connection instanceof EventReader) return connection.restart()
    const ended = end(connection)
    if (ended !== undefined) committing.push(ended)
  })
  await untilIdle(services, isIdle, leftMs())
  committing.push(...failEarly(http.running))
  for (const body of [...http.streams]) body.cut()
  await Promise.all(committing)
  // Begins here, beside the flush, and has a limit of its own: often no time is left.
  const removed = untilRemoved(services, http.removals)
  const flushMs = Math.max(leftMs(), committing.length === 0 ? 0 : lateFlushMs)
  if (!(await finishesWithin(clock, transport.flushed(), flushMs)))
    services.log.warn('Drain timeout reached: disconnecting clients that have not received all queued data')
  if (received !== null && received.value !== receivedBefore)
    await new Promise<void>((resolve) => clock.timer(Math.min(lingerMs, leftMs()), resolve))
  await removed
}

/** Temporary files are removed once their reads have failed, which the end of their calls brings about. One that fails is logged by itself. */
async function untilRemoved({ clock, log }: CallServices, removals: ReadonlySet<Promise<void>>): Promise<void> {
  if (removals.size === 0) return
  const all = Promise.all(removals).then(() => {})
  if (!(await finishesWithin(clock, all, removalMs)))
    log.warn(`Temporary files of uploads were not removed within ${removalMs} ms`)
}

/** Connections with queued bytes come first, which gives them the most time to receive those and the close frame. */
function inOrderOfClose<C extends { readonly bufferedBytes: number }>(open: readonly C[]): readonly C[] {
  const backlogged: C[] = []
  const others: C[] = []
  for (const connection of open) (connection.bufferedBytes > 0 ? backlogged : others).push(connection)
  return [...backlogged, ...others]
}

/** Closes a connection. Returns a promise if one of its calls is committing. */
function end(connection: WireConnection): Promise<void> | undefined {
  connection.stopWaiting()
  const committing = failEarly(connection.running)
  const close = (): void => {
    const { reconnectWindowMs } = connection.shared.options
    if (connection.isOpen && connection.isOptedIn)
      connection.sendControl({ type: 'closing', reconnect_after_ms: [0, reconnectWindowMs] })
    connection.close(disconnects.serviceRestart)
  }
  if (committing.length > 0) return Promise.all(committing).then(close)
  close()
  return undefined
}

/** Returns a promise for each call whose COMMIT is in progress. */
function failEarly(calls: Iterable<ActiveCall>): Promise<void>[] {
  return [...calls].flatMap((call) => call.failEarly(new UnavailableError('The server is restarting')) ?? [])
}

/** Checks after work has ended, at most once per turn of the event loop. */
function untilIdle(services: CallServices, isIdle: () => boolean, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (isIdle()) return resolve()
    let scheduled = false
    const finish = (): void => {
      timer.cancel()
      services.onWorkEnd = null
      resolve()
    }
    const timer = services.clock.timer(timeoutMs, finish)
    services.onWorkEnd = () => {
      if (scheduled) return
      scheduled = true
      setImmediate(() => {
        scheduled = false
        if (services.onWorkEnd !== null && isIdle()) finish()
      })
    }
  })
}

function finishesWithin(clock: Clock, work: Promise<void>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.timer(limitMs, () => resolve(false))
    void work.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}
