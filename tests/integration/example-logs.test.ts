// What the example writes: as its settings of logs say, and in production lines of JSON and nothing else.
import { expect, onTestFinished, test } from 'vitest'
import { runExample, startExample } from '../support/example.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

// It takes its time on a busy machine.
const startTimeoutMs = 150_000

const jsonLines = (output: string): Readonly<Record<string, unknown>>[] =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{"level"'))
    .map((line) => JSON.parse(line))

test(
  'LOG_CONSOLE_FORMAT, LOG_EXCLUDED_PATHS and LOG_LEVEL',
  async () => {
    const example = await startExample({
      databaseUrl: 'pglite://memory',
      env: { LOG_CONSOLE_FORMAT: 'json', LOG_EXCLUDED_PATHS: '["/authors"]', LOG_LEVEL: 'INFO' },
    })
    onTestFinished(async () => void (await example.stop()))
    const headers = { authorization: `Bearer ${example.tokens?.reader}` }
    for (const path of ['/authors', '/authors/paginated', '/health'])
      expect((await fetch(`${example.url}${path}`, { headers })).status).toBe(200)
    const accessLines = () => jsonLines(example.output()).filter((line) => 'status_code' in line)
    await expect.poll(() => accessLines().map(({ endpoint }) => endpoint)).toContain('/health')
    expect(accessLines().map(({ endpoint }) => endpoint)).toEqual(['/authors/paginated', '/health'])
    expect(jsonLines(example.output()).map(({ level }) => level)).not.toContain('debug')
  },
  startTimeoutMs,
)

test.skipIf(!(await hasPostgres()) || !(await hasRedis()))(
  'production: one JSON object a line, and no welcome',
  async () => {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    onTestFinished(() => postgres.stop())
    onTestFinished(() => redis.stop())
    const { code, stdout, stderr } = await runExample({
      databaseUrl: postgres.url,
      env: {
        ENV: 'production',
        LOG_LEVEL: 'info',
        ALLOWED_HOSTS: '["*"]',
        // Nothing answers there: an app starts all the same.
        KEYCLOAK_BASE_URL: 'https://127.0.0.1:9',
        KEYCLOAK_REALM: 'authors',
        KEYCLOAK_CLIENT_ID: 'authors-api',
        METRICS_NETWORKS: '["10.0.0.0/8"]',
        REDIS_URL: redis.url,
      },
      endAfter: /"msg":"Listening"/,
    })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const lines = stdout.trim().split('\n')
    expect(lines.map((line) => JSON.parse(line).msg)).toEqual(expect.arrayContaining(['Listening', 'Closed']))
  },
  startTimeoutMs,
)
