import type { ActiveCall } from '../call/active-call.ts'
import type { Clock } from '../clock/clock.ts'
import { UnavailableError } from '../errors/app-error.ts'
import { disconnects } from '../errors/disconnect.ts'
import type { HttpWire } from '../http/http-wire.ts'
import type { WebSocketConnection } from '../websocket/connection.ts'

interface DrainOptions {
  readonly clock: Clock
  readonly http: HttpWire
  readonly open: ReadonlySet<WebSocketConnection>
  /** Work that outlives its call: effects after a commit, streamed bodies. */
  readonly tracked: ReadonlySet<Promise<unknown>>
  readonly timeoutMs: number
  /** The end of the window, over which the closes are spread so that clients do not reconnect all at once. */
  readonly spreadMs: number
}

/**
 * Ends what is open: calls in flight may finish until the spread begins, then each connection is closed at a moment of its own. A call
 * that still runs then is answered `unavailable`: nobody is left without an answer.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { clock, http, open, tracked, timeoutMs } = options
  const spreadMs = Math.min(options.spreadMs, timeoutMs)
  const isIdle = (): boolean =>
    http.running.size === 0 &&
    tracked.size === 0 &&
    [...open].every(({ running, gate }) => running.size === 0 && !gate.holding)
  await until(clock, isIdle, timeoutMs - spreadMs)
  await closeSpread(clock, [...open], spreadMs)
  for (const call of [...http.running]) giveUp(call)
}

function giveUp(call: ActiveCall): void {
  call.giveUp(new UnavailableError('The server is restarting'))
}

function closeSpread(clock: Clock, connections: readonly WebSocketConnection[], spreadMs: number): Promise<unknown> {
  const step = spreadMs / Math.max(1, connections.length)
  const closes = connections.map(
    (connection, i) =>
      new Promise<void>((resolve) => {
        // Evenly, with a jitter of one step: no two processes that drain together fall into step.
        clock.timer(Math.floor((i + Math.random()) * step), () => {
          connection.queue.clear()
          connection.gate.giveUp()
          for (const call of [...connection.running]) giveUp(call)
          connection.close(disconnects.serviceRestart)
          resolve()
        })
      }),
  )
  return Promise.all(closes)
}

const pollMs = 20

function until(clock: Clock, isDone: () => boolean, timeoutMs: number): Promise<void> {
  const end = clock.monotonic() + timeoutMs
  return new Promise((resolve) => {
    const look = (): void => {
      if (isDone() || clock.monotonic() >= end) resolve()
      else clock.timer(pollMs, look)
    }
    look()
  })
}
