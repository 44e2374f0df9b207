import type { Call } from '../call/call.ts'
import { watchDropped } from '../call/rejections.ts'
import type { Plugin } from '../plugin/plugin.ts'

/** What a test did not finish. */
export interface Leftovers {
  /** Follows calls; the last plugin of the app. */
  readonly plugin: Plugin
  /** Notes which calls are running. Call it before clients are cut, because that aborts them. */
  look(): Promise<void>
  start(): void
  /** Stops watching. */
  stop(): void
  /** Throws one Error with all that was found; once. */
  report(): void
}

/** Captured when the module loads, so that fake timers of a test do not stop it. */
const { setImmediate } = globalThis

/** The lists of rejections of all open apps: one listener of the process fills them. */
const watching = new Set<unknown[]>()

function hear(reason: unknown): void {
  for (const reasons of watching) reasons.push(reason)
}

/** Watches an app, from `start` to `stop`. */
export function watchLeftovers(): Leftovers {
  const running = new Set<Call>()
  const rejections: unknown[] = []
  const unanswered = new Set<string>()
  let unwatch: () => void = () => {}
  return {
    start() {
      // The listener of the test runner receives it too, and reports it.
      if (watching.size === 0) process.on('unhandledRejection', hear)
      watching.add(rejections)
      unwatch = watchDropped((error) => rejections.push(error))
    },
    plugin: {
      name: 'test-leftovers',
      setup(host) {
        host.onCall((call) => void running.add(call))
        host.onReply((call) => void running.delete(call))
      },
    },
    async look() {
      // An answer or a failure of this turn is reported in the next one.
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      for (const { route } of running) unanswered.add(route.name)
    },
    stop() {
      unwatch()
      watching.delete(rejections)
      if (watching.size === 0) process.off('unhandledRejection', hear)
    },
    report() {
      const [names, [rejection, ...more]] = [[...unanswered], rejections.splice(0)]
      unanswered.clear()
      const problems: string[] = []
      if (names.length > 0)
        problems.push(
          `was closed before ${names.join(', ')} was answered (await the call, or close({ abandon: true }))`,
        )
      if (rejection !== undefined || more.length > 0) problems.push(`had an unhandled rejection (${String(rejection)})`)
      if (problems.length > 0) throw new Error(`The test app ${problems.join(' and ')}`, { cause: rejection })
    },
  }
}
