// The app of the suites that damage the network of clients: it keeps a ledger of what it has executed.
import { type BaseOptions, createApp, defineTopics, event, route } from '@twinwire/core'
import type { VirtualClock } from '@twinwire/core/testing'
import * as v from 'valibot'

export const networkPkgIds = { DO: 1, HOLD: 2, TELL: 3, TOLD: 10 } as const
export const told = event({ data: v.object({ n: v.number() }) })

/** One execution. */
export interface Executed {
  readonly id: string
  readonly n: number
  readonly wire: 'ws' | 'http'
  readonly identity: string | null
}

export interface NetworkApp {
  readonly app: NetworkAppType
  readonly port: number
  readonly ledger: readonly Executed[]
  /** Calls of HOLD that run. */
  readonly held: number
  /** Ends them. */
  release(): void
  /** To `chat:1`. */
  publish(n: number): void
  close(): Promise<void>
}

export interface NetworkAppOptions extends Pick<BaseOptions, 'plugins'> {
  readonly clock?: VirtualClock
  /** Default 0: any free port. */
  readonly port?: number
}

type Settings = Omit<NetworkAppOptions, 'port'>

function createNetworkApp(ledger: Executed[], held: Set<() => void>, options: Settings) {
  const input = v.object({ n: v.number() })
  return createApp({
    environment: 'test',
    log: 'fatal',
    defaultAccess: options.plugins === undefined ? 'public' : 'authenticated',
    drainTimeoutMs: 100,
    drainSpreadMs: 0,
    websocket: { reconnectWindowMs: 100 },
    ...options,
    pkgIds: networkPkgIds,
    routes: {
      DO: route({
        http: 'POST /do',
        input,
        output: v.number(),
        handler: ({ n }, { id, wire, identity }) => {
          ledger.push({ id, n, wire, identity: identity?.id ?? null })
          return n
        },
      }),
      HOLD: route({
        http: 'POST /hold',
        input,
        output: v.number(),
        handler: async ({ n }, { id, wire, identity }) => {
          ledger.push({ id, n, wire, identity: identity?.id ?? null })
          await new Promise<void>((resolve) => held.add(resolve))
          return n
        },
      }),
      TELL: route({
        input,
        output: v.number(),
        handler: ({ n }, call) => {
          call.publish('chat:1', told, { n })
          return n
        },
      }),
    },
    events: { TOLD: told },
    topics: defineTopics({ 'chat:*': { subscribe: true, history: { size: 1000, ttl: '10m' }, authorize: () => true } }),
  })
}

export type NetworkAppType = ReturnType<typeof createNetworkApp>

export async function startNetworkApp({ port: wanted = 0, ...options }: NetworkAppOptions = {}): Promise<NetworkApp> {
  const ledger: Executed[] = []
  const held = new Set<() => void>()
  const app = createNetworkApp(ledger, held, options)
  const { port } = await app.listen({ port: wanted })
  const release = (): void => {
    for (const resolve of held) resolve()
    held.clear()
  }
  return {
    app,
    port,
    ledger,
    get held() {
      return held.size
    },
    release,
    publish: (n) => void app.hub.publish('chat:1', told, { n }),
    async close() {
      release()
      let isClosed = false
      const closed = app.close().finally(() => {
        isClosed = true
      })
      // The drain waits by the clock of the app.
      while (!isClosed && options.clock !== undefined) await options.clock.advance(50)
      await closed
    },
  }
}
