import { AsyncLocalStorage, createHook } from 'node:async_hooks'

/** Timers and handles that were made while `run` ran, or because of it. */
export interface OpenResources {
  run<T>(work: () => Promise<T>): Promise<T>
  /** What is open still, each with where it was made. */
  left(): readonly string[]
  stop(): void
}

/** What lasts until it is ended. Timers are among them with `unref()` too: their functions keep on running. */
const lasting: ReadonlySet<string> = new Set([
  'Timeout',
  'TCPWRAP',
  'TCPSERVERWRAP',
  'PIPEWRAP',
  'PIPESERVERWRAP',
  'TLSWRAP',
  'UDPWRAP',
  'PROCESSWRAP',
  'SIGNALWRAP',
  'STATWATCHER',
  'FSEVENTWRAP',
  'WORKER',
  'MESSAGEPORT',
])

/** Looks at asynchronous resources of this process (https://nodejs.org/api/async_hooks.html); those of the test runner are not counted. */
export function watchResources(): OpenResources {
  const open = new Map<number, string>()
  const inside = new AsyncLocalStorage<typeof open>()
  const hook = createHook({
    init(id, type) {
      if (lasting.has(type) && inside.getStore() === open) open.set(id, `${type}, made${whereMade()}`)
    },
    destroy: (id) => void open.delete(id),
  }).enable()
  return {
    run: (work) => inside.run(open, work),
    left: () => [...open.values()],
    stop: () => void hook.disable(),
  }
}

/** The nearest lines of the stack that are not Node's own. */
function whereMade(): string {
  const lines = new Error('made here').stack?.split('\n') ?? []
  const own = lines.filter((line) => /^\s+at /.test(line) && !/node:|open-resources/.test(line))
  return own.length === 0 ? ' by Node' : `\n${own.slice(0, 5).join('\n')}`
}
