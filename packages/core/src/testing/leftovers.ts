import type { Call } from '../call/call.ts'
import { watchDropped } from '../call/rejections.ts'
import type { Plugin } from '../plugin/plugin.ts'

/** What a test left behind. */
export interface Leftovers {
  /** Tells of calls; goes last into the app's list. */
  readonly plugin: Plugin
  /** Notes which calls run now. To be asked before clients are cut: that would abort what is missing. */
  look(): Promise<void>
  start(): void
  /** Stops watching. */
  stop(): void
  /** Throws one Error of all that was found; once. */
  report(): void
}

/** Taken when the module loads: a test's fake timers must not stop its end. */
const { setImmediate } = globalThis

/** Apps that are open, each with its own list: one listener of the process serves all. */
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
      // The runner's own listener hears it too, and says so in its own way.
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
      // What has been answered, or has failed, in this turn is told in the next one.
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
        problems.push(`closed before ${names.join(', ')} was answered (await the call, or close({ abandon: true }))`)
      if (rejection !== undefined || more.length > 0)
        problems.push(`saw a rejection that nobody handled (${String(rejection)})`)
      if (problems.length > 0) throw new Error(`The test app ${problems.join(' and ')}`, { cause: rejection })
    },
  }
}
