// In production the example has neither the console nor its development users, also where they are passed.
import { expect, onTestFinished, test } from 'vitest'
import { createAuthorsApp } from '../../examples/authors/src/app.ts'
import { declaredSettings } from '../../examples/authors/src/settings.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { hasRedis, startRedis } from '../support/redis.ts'

const hasServices = (await hasPostgres()) && (await hasRedis())
const startTimeoutMs = 180_000

test.skipIf(!hasServices)(
  'production serves no console, no development user and no token',
  async () => {
    const [postgres, redis] = await Promise.all([startPostgres(), startRedis()])
    onTestFinished(() => postgres.stop())
    onTestFinished(() => redis.stop())
    const settings = declaredSettings.read({
      variables: {
        ENV: 'production',
        PORT: '0',
        LOG_LEVEL: 'fatal',
        ALLOWED_HOSTS: '["*"]',
        DATABASE_URL: postgres.url,
        REDIS_URL: redis.url,
        KEYCLOAK_BASE_URL: 'https://127.0.0.1:9',
        KEYCLOAK_REALM: 'authors',
        KEYCLOAK_CLIENT_ID: 'authors-api',
        METRICS_NETWORKS: '["10.0.0.0/8"]',
      },
    })
    const { keycloak } = settings
    if (keycloak === null) throw new Error('There is no Keycloak in the settings')
    const users = { users: [{ username: 'admin', roles: ['admin'] }], token: () => 'a token' }
    const app = createAuthorsApp(settings, keycloak, users)
    onTestFinished(() => app.close())
    const { url } = await app.listen(settings.listen)
    const page = await fetch(`${url}/`)
    expect([page.status, await page.text()]).toEqual([200, expect.not.stringContaining('page.js')])
    expect((await fetch(`${url}/page.js`)).status).toBe(404)
    expect((await fetch(`${url}/development/users`)).status).toBe(404)
    const asked = await fetch(`${url}/development/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'admin' }),
    })
    expect([404, 405]).toContain(asked.status)
    expect(await asked.text()).not.toContain('a token')
    expect((await fetch(`${url}/openapi.json`)).status).toBe(401)
  },
  startTimeoutMs,
)
