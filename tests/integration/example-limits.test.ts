// The limits of the reference application, as users run it: in memory, and in Redis when REDIS_URL says so.
import { expect, onTestFinished, test } from 'vitest'
import { type Example, startExample } from '../support/example.ts'
import { httpCall } from '../support/http-call.ts'
import { PackageClient } from '../support/package-client.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { hasOwnRedis, redisClient, startRedis } from '../support/redis.ts'

const startTimeoutMs = 110_000

async function start(env: Readonly<Record<string, string>>): Promise<Example & { readonly token: string }> {
  const database = (await hasPostgres()) ? await startPostgres() : null
  if (database !== null) onTestFinished(() => database.stop())
  const example = await startExample({
    databaseUrl: database?.url ?? 'pglite://memory',
    env: {
      RATE_LIMIT_ENABLED: 'true',
      RATE_LIMIT_PER_MINUTE: '4',
      RATE_LIMIT_BURST: '2',
      WS_MESSAGE_RATE_LIMIT: '3',
      WS_MAX_CONNECTIONS_PER_USER: '2',
      ...env,
    },
  })
  onTestFinished(async () => void (await example.stop()))
  return { ...example, token: example.tokens?.admin ?? '' }
}

async function exhaust({ url, socketUrl, token }: Awaited<ReturnType<typeof start>>): Promise<void> {
  const health = async () => (await httpCall(`${url}/health`)).status
  await expect.poll(health).toBe(200)
  const first = await httpCall(`${url}/authors`, 'GET', undefined, token)
  expect(first.status).toBe(200)
  expect(first.headers.get('ratelimit')).toMatch(/"http";r=5;t=15/)
  expect(first.headers.get('x-ratelimit-limit')).toBe('6')
  // At once: on a slow machine a point would come back meanwhile.
  const answers = await Promise.all(
    Array.from({ length: 6 }, () => httpCall(`${url}/authors`, 'GET', undefined, token)),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 200, 200, 429])
  await expect.poll(health).toBe(200)

  const [one, two] = [await PackageClient.connect(socketUrl, token), await PackageClient.connect(socketUrl, token)]
  onTestFinished(async () => {
    await Promise.all([one.close(), two.close()])
  })
  const replies = await Promise.all([one, two, one, two].map((client) => client.call(1, {})))
  expect(replies.map(({ data }) => codeOf(data)).filter((code) => code !== null)).toEqual(['rate_limit_exceeded'])
  expect(await (await PackageClient.connect(socketUrl, token)).closed).toBe(1008)
}

function codeOf(data: unknown): unknown {
  return typeof data === 'object' && data !== null && 'code' in data ? data.code : null
}

test(
  'of the example hold in memory: requests, packages, connections',
  async () => {
    await exhaust(await start({}))
  },
  startTimeoutMs,
)

test.skipIf(!hasOwnRedis())(
  'of the example hold in Redis when REDIS_URL is set, for all processes',
  async () => {
    const redis = await startRedis({ own: true })
    onTestFinished(() => redis.stop())
    await exhaust(await start({ REDIS_URL: redis.url, REDIS_COMMAND_TIMEOUT: '10s' }))
    const client = redisClient(redis.url)
    try {
      const keys = await client.keys('*')
      expect(keys.length).toBeGreaterThan(3)
      expect(keys.every((key) => key.startsWith('twinwire:'))).toBe(true)
    } finally {
      client.disconnect()
    }
  },
  startTimeoutMs,
)
