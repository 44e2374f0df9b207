import type { Clock } from '../../base/clock.ts'
import type { ActiveCall } from '../../call/active-call.ts'
import type { CallServices } from '../../call/call-services.ts'
import { UnavailableError } from '../../errors/app-error.ts'
import { disconnects } from '../../errors/disconnect.ts'
import type { HttpWire } from '../../http/http-wire.ts'
import type { Transport } from '../../transport/transport.ts'
import type { WebSocketConnection } from '../../websocket/connection.ts'
import { spread } from './spread.ts'

/** What the clients of calls that were waited for past the end get to take their answers. */
const lateFlushMs = 1000

interface DrainOptions {
  readonly services: CallServices
  readonly transport: Pick<Transport, 'flushed'>
  readonly http: HttpWire
  readonly open: ReadonlySet<WebSocketConnection>
  /** Work that outlives its call: effects after a commit, streamed bodies. */
  readonly tracked: ReadonlySet<Promise<unknown>>
  readonly timeoutMs: number
  /** The end of the window, over which the closes are spread so that clients do not reconnect all at once. */
  readonly spreadMs: number
}

/**
 * Ends what is open, within `timeoutMs`: calls in flight may finish until the spread begins, then each connection is closed at a
 * moment of its own. A call that still runs then is answered `unavailable`: nobody is left without an answer. One whose COMMIT was sent
 * is waited for, at most `commitTimeoutMs` longer. At last it waits until clients have taken what was sent to them: answers to their
 * last byte, replies that are queued, and the close frame after them.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { services, transport, http, open, tracked, timeoutMs } = options
  const { clock } = services
  const spreadMs = Math.min(options.spreadMs, timeoutMs)
  const endMs = clock.monotonic() + timeoutMs
  const leftMs = (): number => Math.max(0, endMs - clock.monotonic())
  const isIdle = (): boolean => {
    if (http.running.size > 0 || tracked.size > 0) return false
    for (const { running, gate } of open) if (running.size > 0 || gate.holding) return false
    return true
  }
  for (const body of http.streams) body.endWhenIdle()
  await untilIdle(services, isIdle, timeoutMs - spreadMs)
  const committing: Promise<unknown>[] = []
  await spread(clock, inOrderOfClose(open), { spreadMs, limitMs: leftMs() }, (connection) => {
    const ended = end(connection)
    if (ended !== undefined) committing.push(ended)
  })
  await untilIdle(services, isIdle, leftMs())
  committing.push(...giveUp(http.running))
  for (const body of [...http.streams]) body.cut()
  await Promise.all(committing)
  const flushMs = Math.max(leftMs(), committing.length === 0 ? 0 : lateFlushMs)
  if (!(await isInTime(clock, transport.flushed(), flushMs)))
    services.log.warn('The drain time is over: clients that had not taken all that was sent to them are cut')
}

/** Those with something queued come first: they have the longest time to take it, and then their close frame. */
function inOrderOfClose(open: ReadonlySet<WebSocketConnection>): readonly WebSocketConnection[] {
  const behind: WebSocketConnection[] = []
  const others: WebSocketConnection[] = []
  for (const connection of open) (connection.bufferedBytes > 0 ? behind : others).push(connection)
  return [...behind, ...others]
}

/** Returns what resolves with the end of a connection that is waited for. */
function end(connection: WebSocketConnection): Promise<void> | undefined {
  connection.queue.clear()
  connection.gate.giveUp()
  const committing = giveUp(connection.running)
  const close = (): void => connection.close(disconnects.serviceRestart)
  if (committing.length > 0) return Promise.all(committing).then(close)
  close()
  return undefined
}

/** Returns the answers of those whose COMMIT is under way. */
function giveUp(calls: Iterable<ActiveCall>): Promise<void>[] {
  return [...calls].flatMap((call) => call.giveUp(new UnavailableError('The server is restarting')) ?? [])
}

/** Looks whenever work has ended, once for all that ended within one turn of the event loop. */
function untilIdle(services: CallServices, isIdle: () => boolean, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (isIdle()) return resolve()
    let looking = false
    const finish = (): void => {
      timer.cancel()
      services.onWorkEnd = null
      resolve()
    }
    const timer = services.clock.timer(timeoutMs, finish)
    services.onWorkEnd = () => {
      if (looking) return
      looking = true
      setImmediate(() => {
        looking = false
        if (services.onWorkEnd !== null && isIdle()) finish()
      })
    }
  })
}

function isInTime(clock: Clock, work: Promise<void>, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.timer(limitMs, () => resolve(false))
    void work.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}
