// The running example with everything on, a Prometheus that scrapes it, and traffic of each kind on both wires.
import { once } from 'node:events'
import { WebSocket } from 'ws'
import { type Example, startExample } from './example.ts'
import { PackageClient } from './package-client.ts'
import { startPostgres } from './postgres.ts'
import { startPrometheus, type TestPrometheus } from './prometheus.ts'
import { type RedisServer, startRedisServer } from './redis-server.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

export interface ObservedExample {
  readonly example: Example
  readonly prometheus: TestPrometheus
  readonly redis: RedisServer
  /** In front of its database. */
  readonly database: TcpProxy
  /** Resolves when each target was scraped once more. */
  scraped(): Promise<void>
  stop(): Promise<void>
}

export interface ObservedOptions {
  /** Hosts and ports of further apps. */
  readonly targets?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The path of a file of rules; by default none. */
  readonly rules?: string
}

/** Starts all of it on ports of its own. */
export async function startObservedExample(options: ObservedOptions = {}): Promise<ObservedExample> {
  const stops: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    for (const each of stops.splice(0).reverse()) await each()
  }
  try {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedisServer()])
    stops.push(
      () => postgres.stop(),
      () => redis.stop(),
    )
    const url = new URL(postgres.url)
    const database = await startTcpProxy(Number(url.port || 5432))
    stops.push(() => database.close())
    url.host = `127.0.0.1:${database.port}`
    const example = await startExample({
      databaseUrl: url.href,
      env: {
        REDIS_URL: redis.url,
        RATE_LIMIT_ENABLED: 'true',
        WS_MESSAGE_RATE_LIMIT: '20',
        REDIS_CIRCUIT_BREAKER_TIMEOUT: '500ms',
        DB_SLOW_QUERY_THRESHOLD: '1ms',
        DB_POOL_ACQUIRE_TIMEOUT: '500ms',
        DB_CONNECT_TIMEOUT: '500ms',
        LOG_CONSOLE_FORMAT: 'json',
        LOG_LEVEL: 'info',
        ...options.env,
      },
    })
    stops.push(() => example.stop('SIGKILL'))
    const targets = [new URL(example.url).host, ...(options.targets ?? [])]
    const prometheus = await startPrometheus(toConfig(targets, options.rules))
    stops.push(() => prometheus.stop())
    const scraped = (): Promise<void> => scrapedAgain(prometheus, targets.length)
    await scraped()
    return { example, prometheus, redis, database, scraped, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function toConfig(targets: readonly string[], rules?: string): string {
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    ...(rules === undefined ? {} : { rule_files: [rules] }),
    scrape_configs: [{ job_name: 'authors', static_configs: [{ targets }] }],
  })
}

async function scrapedAgain(prometheus: TestPrometheus, targets: number): Promise<void> {
  const sinceSeconds = Date.now() / 1000
  for (;;) {
    const fresh = await instant(prometheus, `timestamp(up) > ${sinceSeconds}`)
    if (fresh.length === targets) return
  }
}

/** The values of an instant query. */
export async function instant(prometheus: TestPrometheus, query: string): Promise<readonly number[]> {
  const { result } = (await prometheus.api(`query?query=${encodeURIComponent(query)}`)) as {
    readonly result: readonly { readonly value: readonly [number, string] }[]
  }
  return result.map(({ value }) => Number(value[1]))
}

/** What `makeCalls` does, with a subscriber that receives its publications. */
export async function makeTraffic(example: Example): Promise<void> {
  const subscriber = await subscribe(example.socketUrl, example.tokens?.admin ?? '')
  await makeCalls(example)
  await subscriber.close()
}

/** Calls of each kind, on both wires: successes, errors, refused tokens, limits, publications, a repeated call. */
export async function makeCalls(example: Example): Promise<void> {
  const { url, socketUrl, tokens } = example
  const { admin, reader } = tokens ?? { admin: '', reader: '' }
  const http = (method: string, path: string, token: string | null, body?: object, headers: object = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  const name = `Author ${crypto.randomUUID()}`
  const key = { 'idempotency-key': `"${crypto.randomUUID()}"` }
  const created = await http('POST', '/authors', admin, { name }, key)
  const { id } = (await created.json()) as { readonly id: number }
  await http('POST', '/authors', admin, { name }, key)
  await http('POST', '/authors', admin, { name: 'Another' }, key)
  await http('POST', '/authors', admin, { name })
  await http('POST', '/authors', reader, { name: 'Not allowed' })
  await http('GET', '/authors', admin)
  await http('GET', `/authors/paginated?name=${id}`, admin)
  await http('GET', '/authors/999999', admin)
  await http('PUT', `/authors/${id}`, admin, { name: `${name}, again` })
  await http('GET', '/authors', null)
  await http('GET', '/authors', 'bad')
  await http('GET', '/no/such/file', null)
  await http('POST', '/auth/backchannel-logout', null, undefined, {
    'content-type': 'application/x-www-form-urlencoded',
  })
  await Promise.all(Array.from({ length: 80 }, () => http('GET', '/authors', reader)))
  const client = await PackageClient.connect(socketUrl, admin)
  for (let i = 0; i < 25; i++) await client.call(i % 2 === 0 ? 1 : 99, {})
  await client.close()
  await refuseTokens(example)
  await http('DELETE', `/authors/${id}`, admin)
}

/** Reads the authors, some times at once; resolves with the statuses. */
export function readAuthors({ url, tokens }: Example, times: number): Promise<readonly number[]> {
  const headers = { authorization: `Bearer ${tokens?.admin}` }
  return Promise.all(Array.from({ length: times }, async () => (await fetch(`${url}/authors`, { headers })).status))
}

/** A client that leaves before its answer: its database takes `delayMs` for each message. */
export async function leaveEarly({ example, database }: ObservedExample, delayMs: number): Promise<void> {
  const { url, tokens } = example
  database.delayMs = delayMs
  const left = new AbortController()
  const answer = fetch(`${url}/authors/paginated`, {
    headers: { authorization: `Bearer ${tokens?.admin}` },
    signal: left.signal,
  }).catch(() => null)
  const waits = 'http_requests_in_progress{method="GET",endpoint="/authors/paginated"} 1'
  while (!(await (await fetch(`${url}/metrics`)).text()).includes(waits));
  left.abort()
  await answer
  database.delayMs = 0
}

/** A call on each wire that its database answers after twice `delayMs` at the earliest. */
export async function callSlowly({ example, database }: ObservedExample, delayMs: number): Promise<void> {
  const client = await PackageClient.connect(example.socketUrl, example.tokens?.reader)
  database.delayMs = delayMs
  await Promise.all([readAuthors(example, 1), client.call(1, {})])
  database.delayMs = 0
  await client.close()
}

/** A client of the topic that also sends a frame that is none. */
async function subscribe(socketUrl: string, token: string): Promise<{ close(): Promise<void> }> {
  const socket = new WebSocket(socketUrl, { headers: { authorization: `Bearer ${token}` } })
  await once(socket, 'open')
  const subscribed = new Promise<void>((resolve) => {
    socket.on('message', (message) => {
      if (String(message).includes('"subscribed"')) resolve()
    })
  })
  socket.send('{')
  socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'authors' }))
  await subscribed
  return {
    async close() {
      socket.close()
      await closed(socket)
    },
  }
}

/** A bad token in the upgrade, and one in the first frame. */
export async function refuseTokens({ socketUrl }: Example): Promise<void> {
  const upgrade = new WebSocket(socketUrl, { headers: { authorization: 'Bearer bad' } })
  await closed(upgrade)
  const socket = new WebSocket(socketUrl)
  socket.once('open', () => socket.send(JSON.stringify({ type: 'auth', token: 'Bearer bad' })))
  await closed(socket)
}

/** Unlike `once()` it does not reject for the error before it. */
function closed(socket: WebSocket): Promise<void> {
  socket.on('error', () => {})
  return new Promise((resolve) => void socket.once('close', () => resolve()))
}
