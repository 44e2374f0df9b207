// Alerts that the running example makes fire: each is silent before its cause, and fires in a Prometheus that has scraped the example.
// The rules are those of alerts.yml, with their thresholds; only a minute of their windows and of `for` lasts two seconds here.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { alerts, deployFolder } from '../support/dashboards.ts'
import { type ObservedApp, startObservedApp } from '../support/observed-app.ts'
import { type ObservedExample, readAuthors, refuseTokens, startObservedExample } from '../support/observed-example.ts'
import { hasPostgres } from '../support/postgres.ts'
import { hasPrometheus } from '../support/prometheus.ts'
import { hasOwnRedis } from '../support/redis.ts'

const hasServices = (await hasPostgres()) && hasOwnRedis() && hasPrometheus()
const minuteSeconds = 2
/** A scrape that a busy machine has delayed may be an alert for some seconds. */
const quiet = { timeout: 30_000, interval: 500 }

/** The rules with short minutes. */
function shorten(rules: string): string {
  return rules
    .replaceAll(/\[(\d+)m\]/g, (_, minutes) => `[${Number(minutes) * minuteSeconds}s]`)
    .replaceAll(/^( +for: )(\d+)m$/gm, (_, key, minutes) => `${key}${Number(minutes) * minuteSeconds}s`)
}

test('only windows and `for` are shortened, and none is left out', () => {
  const rules = readFileSync(join(deployFolder, 'alerts.yml'), 'utf8')
  const back = shorten(rules)
    .replaceAll(/\[(\d+)s\]/g, (_, seconds) => `[${Number(seconds) / minuteSeconds}m]`)
    .replaceAll(/^( +for: )(\d+)s$/gm, (_, key, seconds) => `${key}${Number(seconds) / minuteSeconds}m`)
  expect(back).toBe(rules)
  expect(shorten(rules)).not.toMatch(/\[\d+m\]|for: \d+m/)
})

describe.skipIf(!hasServices)('in the running example', () => {
  let observed: ObservedExample
  let app: ObservedApp
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'twinwire-alerts-'))
    const rules = join(folder, 'alerts.yml')
    await writeFile(rules, shorten(readFileSync(join(deployFolder, 'alerts.yml'), 'utf8')))
    app = await startObservedApp()
    observed = await startObservedExample({
      rules,
      targets: [app.target],
      env: { RATE_LIMIT_PER_MINUTE: '6000', DB_SLOW_QUERY_THRESHOLD: '100ms', REDIS_CIRCUIT_BREAKER_TIMEOUT: '1s' },
    })
  }, 120_000)
  afterAll(async () => {
    await observed?.stop()
    await app?.close()
    if (folder !== undefined) await rm(folder, { recursive: true, force: true })
  })

  const firing = async (): Promise<readonly string[]> => {
    const { alerts: active } = (await observed.prometheus.api('alerts')) as {
      readonly alerts: readonly { readonly state: string; readonly labels: { readonly alertname: string } }[]
    }
    return active.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
  }

  /** Repeats the cause until all of `names` fire; before it none of them does. */
  async function makeFire(names: readonly string[], cause: () => Promise<unknown>): Promise<void> {
    const known = alerts.map(({ alert }) => alert)
    expect(names.filter((name) => !known.includes(name))).toEqual([])
    await expect.poll(async () => (await firing()).filter((name) => names.includes(name)), quiet).toEqual([])
    const left = new Set(names)
    while (left.size > 0) {
      await cause()
      await observed.scraped()
      for (const name of await firing()) left.delete(name)
    }
  }

  test('none fires under usual traffic', async () => {
    const { example, prometheus, scraped } = observed
    const areEvaluated = async (): Promise<boolean> => {
      const { groups } = (await prometheus.api('rules')) as {
        readonly groups: readonly { readonly rules: readonly { readonly health: string }[] }[]
      }
      const rules = groups.flatMap((group) => group.rules)
      return rules.length === alerts.length && rules.every(({ health }) => health === 'ok')
    }
    await expect.poll(areEvaluated, quiet).toBe(true)
    for (let i = 0; i < 3; i++) {
      expect(await readAuthors(example, 5)).toEqual([200, 200, 200, 200, 200])
      await scraped()
    }
    await expect.poll(firing, quiet).toEqual([])
  }, 60_000)

  test('refused tokens: ManyBadTokens, HighWebSocketRejections', async () => {
    await makeFire(['ManyBadTokens', 'HighWebSocketRejections'], () => refuseTokens(observed.example))
  }, 90_000)

  test('Redis down: RedisErrors, CircuitOpen', async () => {
    await observed.redis.crash()
    await makeFire(['RedisErrors', 'CircuitOpen'], () => readAuthors(observed.example, 5))
    await observed.redis.restart()
  }, 90_000)

  test('database down: DatabaseErrors, HighErrorRate, AuditFailures', async () => {
    observed.database.isRefusing = true
    observed.database.cut()
    await makeFire(['DatabaseErrors', 'HighErrorRate', 'AuditFailures'], () => readAuthors(observed.example, 5))
    observed.database.isRefusing = false
  }, 90_000)

  test('limits hit: ManyLimited', async () => {
    const { url, tokens } = observed.example
    const headers = { authorization: `Bearer ${tokens?.admin}`, 'content-type': 'application/json' }
    // An input that is none: no author is created, and the limit of the route comes first.
    const create = () => fetch(`${url}/authors`, { method: 'POST', headers, body: '{}' })
    await makeFire(['ManyLimited'], () => Promise.all(Array.from({ length: 60 }, create)))
  }, 90_000)

  test('an instance ends: Down [defect 64]', async () => {
    await app.close()
    await makeFire(['Down'], async () => {})
  }, 60_000)
})
