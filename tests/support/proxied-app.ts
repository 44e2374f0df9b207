// An app for the suites of proxies: calls that a test holds, bodies that are streamed both ways, and what the app has seen of its clients.
import { createHash } from 'node:crypto'
import { createApp, reply, route, stream, type WebSocketOptions } from '@twinwire/core'
import { definePlugin, pluginKey } from '@twinwire/core/plugin'
import * as v from 'valibot'

export const proxiedPkgIds = { WHO: 1, HELD: 2, PAD: 3 } as const

export interface ProxiedAppOptions {
  readonly websocket?: WebSocketOptions
  readonly trustedProxies?: readonly string[]
  /** Default: any. */
  readonly hosts?: readonly string[]
  readonly drainTimeoutMs?: number
  readonly drainDelayMs?: number
  /** Default 0: a free one. */
  readonly port?: number
}

export interface ProxiedApp {
  readonly port: number
  /** Codes of WebSockets that have ended, as the app sees them. */
  readonly closes: readonly number[]
  /** Calls that are held, and streams that wait after their first item. */
  readonly held: number
  /** Lets them go on. */
  release(): void
  /** Closes the app, and leaves what is held. */
  drain(): Promise<void>
  close(): Promise<void>
}

/** What `GET /download` sends, for `mebibytes` of them. */
export function* downloadPieces(mebibytes: number): Generator<Uint8Array> {
  for (let n = 0; n < mebibytes * 16; n += 1) yield Buffer.alloc(64 * 1024, `${n} of many, `)
}

export async function startProxiedApp(options: ProxiedAppOptions = {}): Promise<ProxiedApp> {
  const { websocket, trustedProxies = ['127.0.0.1'], hosts = ['*'], drainTimeoutMs = 5000, drainDelayMs = 0 } = options
  const closes: number[] = []
  let listensAt = 0
  const held = new Set<() => void>()
  const hold = (): Promise<void> => new Promise((resolve) => held.add(resolve))
  const release = (): void => {
    for (const resolve of held) resolve()
    held.clear()
  }
  async function* items(): AsyncGenerator<{ n: number }> {
    yield { n: 1 }
    await hold()
    yield { n: 2 }
  }
  const app = createApp({
    environment: 'production',
    defaultAccess: 'public',
    http: { hosts: [...hosts], trustedProxies: [...trustedProxies] },
    log: 'fatal',
    drainTimeoutMs,
    drainDelayMs,
    drainSpreadMs: 0,
    websocket: { reconnectWindowMs: 0, ...websocket },
    pkgIds: proxiedPkgIds,
    routes: {
      WHO: route({ http: 'GET /who', handler: (_input, { address, id }) => ({ address, id, port: listensAt }) }),
      HELD: route({
        http: 'GET /held',
        handler: async () => {
          await hold()
          return { port: listensAt }
        },
      }),
      PAD: route({ handler: () => 'pad '.repeat(20_000) }),
    },
    endpoints: [
      route({
        http: { route: 'POST /small', maxBodyBytes: 1024 },
        input: v.object({ text: v.string() }),
        handler: ({ text }) => ({ length: text.length }),
      }),
      route({
        http: 'POST /echo',
        input: v.object({ text: v.string() }),
        handler: ({ text }) => ({ length: text.length }),
      }),
      route({
        http: { route: 'POST /files/:name', body: 'stream', maxBodyBytes: 64 * 1024 * 1024 },
        input: v.object({ name: v.string() }),
        handler: async (_input, { body }) => {
          const hash = createHash('sha256')
          let bytes = 0
          for await (const piece of body) {
            hash.update(piece)
            bytes += piece.byteLength
          }
          return { bytes, sha256: hash.digest('hex') }
        },
      }),
      route({
        http: 'GET /download/:mebibytes',
        input: v.object({ mebibytes: v.number() }),
        handler: ({ mebibytes }) => reply.stream(downloadPieces(mebibytes)),
      }),
      route({
        http: 'GET /events',
        handler: () =>
          reply.events(
            (async function* () {
              for await (const data of items()) yield { data }
            })(),
          ),
      }),
      route({ http: 'GET /lines', output: stream(v.object({ n: v.number() })), handler: () => items() }),
    ],
    plugins: [
      definePlugin(pluginKey('closes').of<void>(), {
        setup: (host) => host.onDisconnect((_connection, { code }) => void closes.push(code)),
      }),
    ],
  })
  const { port } = await app.listen({ port: options.port ?? 0 })
  listensAt = port
  return {
    port,
    closes,
    get held() {
      return held.size
    },
    release,
    drain: () => app.close(),
    async close() {
      release()
      await app.close()
    },
  }
}
