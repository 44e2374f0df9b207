// The app that the suite of the client's hosts calls.
import { createApp, defineTopics, event, page, pageOf, route, stream } from '@twinwire/core'
import { auth } from '@twinwire/plugin-auth'
import * as v from 'valibot'

export const told = event({ data: v.object({ n: v.number() }) })
const confirm = event({ data: v.object({ text: v.string() }), answer: v.object({ accepted: v.boolean() }) })
const values = v.object({ big: v.bigint(), at: v.date(), bytes: v.instance(Uint8Array), text: v.string() })
let openStreams = 0
/** Calls that wait for their release. */
const held = new Map<string, () => void>()

async function* count(from: number): AsyncGenerator<{ n: number }> {
  openStreams += 1
  try {
    for (let n = from; ; n += 1) yield { n }
  } finally {
    openStreams -= 1
  }
}

/** `issuer`: whose tokens it takes. `origin`: of the pages that may call it. */
export function createHostsApp(issuer: string, origin: string) {
  return createApp({
    environment: 'test',
    log: 'error',
    defaultAccess: 'authenticated',
    pkgIds: {
      ECHO: 1,
      FAIL: 2,
      LIST: 3,
      COUNT: 4,
      OPEN_STREAMS: 5,
      TELL: 6,
      ASK: 7,
      WHO: 8,
      HOLD: 9,
      RELEASE: 10,
      TOLD: 100,
      CONFIRM: 101,
    },
    routes: {
      ECHO: route({ http: 'POST /echo', input: values, output: values, handler: (input) => input }),
      FAIL: route({
        http: 'GET /fail/:n',
        input: v.object({ n: v.pipe(v.number(), v.maxValue(9)) }),
        handler: ({ n }) => n,
      }),
      LIST: route({
        http: 'GET /list',
        input: v.object({ page: v.number() }),
        output: pageOf(v.object({ n: v.number() })),
        handler: ({ page: number }) => page([{ n: number }], { page: number, per_page: 1, total: 3 }),
      }),
      COUNT: route({
        http: 'GET /count',
        input: v.object({ from: v.number() }),
        output: stream(v.object({ n: v.number() })),
        handler: ({ from }) => count(from),
      }),
      OPEN_STREAMS: route({ http: 'GET /streams', output: v.number(), handler: () => openStreams }),
      TELL: route({
        http: 'POST /tell',
        input: v.object({ topic: v.string(), n: v.number() }),
        handler: ({ topic, n }, call) => {
          call.publish(topic, told, { n })
          return n
        },
      }),
      ASK: route({
        output: v.nullable(v.boolean()),
        handler: async (_input, { connection }) =>
          (await connection?.ask(confirm, { text: 'Sure?' }))?.accepted ?? null,
      }),
      WHO: route({ http: 'GET /who', output: v.string(), handler: (_input, { identity }) => identity?.id ?? '' }),
      HOLD: route({
        http: 'GET /hold/:key',
        input: v.object({ key: v.string() }),
        output: v.string(),
        handler: async ({ key }) => {
          await new Promise<void>((resolve) => held.set(key, resolve))
          return key
        },
      }),
      RELEASE: route({
        http: 'POST /release/:key',
        input: v.object({ key: v.string() }),
        output: v.boolean(),
        handler: ({ key }) => {
          held.get(key)?.()
          return held.delete(key)
        },
      }),
    },
    events: { TOLD: told, CONFIRM: confirm },
    topics: defineTopics({
      'chat:*': {
        subscribe: true,
        history: { size: 100, ttl: '10m' },
        presence: true,
        authorize: (identity) => identity !== null,
      },
    }),
    plugins: [auth({ issuer, clientId: 'test-client', audience: 'test-client' })],
    http: { cors: { origins: [origin] } },
    websocket: { origins: [origin] },
    drainTimeoutMs: 100,
  })
}

export type HostsApp = ReturnType<typeof createHostsApp>
