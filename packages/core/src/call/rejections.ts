import type { CounterCell } from '../base/cells.ts'
import type { DropListener } from '../base/drop-safe.ts'
import type { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { ActiveCall } from './active-call.ts'
import type { Call } from './call.ts'
import { currentCall } from './current-call.ts'

/** For test kits, which fail a test that leaves one. */
const watchers = new Set<(error: unknown) => void>()

/** Calls `watcher` for every promise of core that failed and that nothing handled. Returns a function that stops it. */
export function watchDropped(watcher: (error: unknown) => void): () => void {
  watchers.add(watcher)
  return () => watchers.delete(watcher)
}

/** Logs and counts rejections that nothing handled: of promises that core returned, and of those of the application. */
export class Rejections implements DropListener {
  readonly #log: Logger
  readonly #ofCore: CounterCell
  readonly #ofApplication: CounterCell

  constructor(instruments: Instruments, log: Logger) {
    this.#log = log
    const family = instruments.counter(
      'app_unhandled_rejections_total',
      'Unhandled rejections of promises: those of core, or of the application',
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

  /** The listener for promises that are returned on behalf of a call; null: of none. */
  listenerOf(call: Pick<Call, 'log'> | null): DropListener {
    if (call === null) return this
    // An `ActiveCall` adds its connection; a substitute for one has a log.
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
