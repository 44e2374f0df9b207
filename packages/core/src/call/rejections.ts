import type { CounterCell } from '../base/cells.ts'
import type { DropListener } from '../base/drop-safe.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { ActiveCall } from './active-call.ts'
import type { Call } from './call.ts'
import { currentCall } from './current-call.ts'

/** For test kits, which let a test fail that has left one behind. */
const watchers = new Set<(error: unknown) => void>()

/** Is told of every promise of core that failed and that nothing handled. Returns what stops it. */
export function watchDropped(watcher: (error: unknown) => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** Logs and counts rejections that nothing handled: of promises that core handed out, and of the application's own. */
export class Rejections implements DropListener {
  readonly #log: Logger
  readonly #ofCore: CounterCell
  readonly #ofApplication: CounterCell

  constructor(instruments: Instruments, log: Logger) {
    this.#log = log
    const family = instruments.counter(
      'app_unhandled_rejections_total',
      'Promises that failed and that nothing handled, by who made them',
      { source: ['core', 'application'] },
    )
    this.#ofCore = family.cell({ source: 'core' })
    this.#ofApplication = family.cell({ source: 'application' })
  }

  /** A promise of core. Without `log` the line has the fields of the current call, if that is known. */
  dropped(error: unknown, promise: string, log: Logger = this.#current(), fields: object = {}): void {
    this.#ofCore.inc()
    log.error({ err: error, promise, ...fields }, 'A promise failed that nothing awaited: await it, or catch its error')
    for (const watch of watchers) watch(error)
  }

  /** Who is told of what was handed out on behalf of a call; null: of none. */
  listenerOf(call: Pick<Call, 'log'> | null): DropListener {
    if (call === null) return this
    // A call of ours knows its connection too; whoever stands in for one has a log.
    if (call instanceof ActiveCall) return call
    return { dropped: (error, promise) => this.dropped(error, promise, call.log) }
  }

  /** Any other promise of the process. */
  unhandled(error: unknown): void {
    this.#ofApplication.inc()
    this.#current().error({ err: error }, 'A promise of the application failed that nothing awaited')
  }

  #current(): Logger {
    return currentCall()?.log ?? this.#log
  }
}
