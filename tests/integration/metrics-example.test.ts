// The table of metrics, the names and labels of dashboards and alerts, against a scrape of the running example.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readScrape, type Scrape } from '@twinwire/plugin-metrics/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { alerts, deployFolder as deploy, panelQueries, withValues } from '../support/dashboards.ts'
import { type Example, startExample } from '../support/example.ts'
import { readMetricsPage } from '../support/metrics-page.ts'
import { PackageClient } from '../support/package-client.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { hasPrometheus, startPrometheus } from '../support/prometheus.ts'
import { checkConfig, checkRules, hasPromtool, testRules } from '../support/promtool.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const read = (name: string): string => readFileSync(join(deploy, name), 'utf8')
const hasServices = (await hasPostgres()) && (await hasRedis())

const panelsOfPrometheus = panelQueries.filter(({ source }) => source === 'prometheus')
const alertExpressions = alerts.map(({ alert, expr }) => ({ where: alert, expr }))

/** Words of PromQL that are not metrics. */
const words =
  /^(?:sum|max|min|topk|time|by|rate|increase|histogram_quantile|min_over_time|le|and|or|unless|instance|job|label_values)$/

/** The metrics in an expression, each with the labels of its selector, and the labels of its grouping. */
function namesIn(expr: string): { metrics: { name: string; labels: string[] }[]; grouping: string[] } {
  const grouping = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */))
  const rest = expr.replace(/\bby \([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '')
  const metrics: { name: string; labels: string[] }[] = []
  for (const [, name = '', selector = ''] of rest.matchAll(/([a-zA-Z_]\w*)(\{[^}]*\})?/g)) {
    if (words.test(name) || name === '') continue
    metrics.push({ name, labels: [...selector.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label) })
  }
  return { metrics, grouping }
}

/** Limits without Redis have the first two, an app with tasks the next three; the others exist after their first event. */
const notThere = [
  'rate_limit_keys',
  'rate_limit_evicted_keys_total',
  'task_runs_total',
  'task_duration_seconds',
  'task_running',
  'auth_logouts_total',
  'circuit_breaker_state_changes_total',
]

/** Of a metric that the scrape does not have, with the label of its buckets. */
function labelsOfPage(name: string): ReadonlySet<string> | null {
  const family = name.replace(/_(?:bucket|sum|count)$/, '')
  return notThere.includes(family) ? new Set([...(readMetricsPage().get(family)?.labels ?? []), 'le']) : null
}

/** Prometheus adds these two to every series. */
const ofPrometheus = ['instance', 'job']

describe.skipIf(!hasServices)('of the running example', () => {
  let database: TestPostgres
  let redis: TestRedis
  let example: Example
  let scrape: Scrape
  beforeAll(async () => {
    database = await startPostgres()
    redis = await startRedis({ own: true })
    example = await startExample({
      databaseUrl: database.url,
      env: { REDIS_URL: redis.url, RATE_LIMIT_ENABLED: 'true' },
    })
    scrape = await afterTraffic(example)
  }, 240_000)
  afterAll(async () => {
    await example?.stop('SIGKILL')
    await redis?.stop()
    await database?.stop()
  })

  const labelsOf = (name: string): ReadonlySet<string> | null => {
    const samples = scrape.samples.filter((sample) => sample.name === name)
    return samples.length === 0 ? null : new Set(samples.flatMap(({ labels }) => Object.keys(labels)))
  }

  // Dashboards and alerts of the reference system are written for these.
  test.each([
    ['http_request_duration_seconds', [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]],
    ['ws_message_processing_duration_seconds', [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]],
    ['db_query_duration_seconds', [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]],
    ['redis_operation_duration_seconds', [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5]],
    ['keycloak_operation_duration_seconds', [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]],
  ])('%s has the buckets of the contract', (name, bounds) => {
    const samples = scrape.samples.filter((sample) => sample.name === `${name}_bucket`)
    const found = new Set(
      samples.map(({ labels }) => (labels.le === '+Inf' ? Number.POSITIVE_INFINITY : Number(labels.le))),
    )
    expect([...found].toSorted((one, other) => one - other)).toEqual([...bounds, Number.POSITIVE_INFINITY])
  })

  test.each([...panelsOfPrometheus, ...alertExpressions])('$where: $expr [defect 62] [defect 64]', ({ expr }) => {
    const { metrics, grouping } = namesIn(expr)
    expect(metrics).not.toEqual([])
    const known = new Set(ofPrometheus)
    for (const { name, labels } of metrics) {
      if (name === 'up') continue
      const there = labelsOf(name) ?? labelsOfPage(name)
      expect([name, there === null ? 'is missing' : 'exists']).toEqual([name, 'exists'])
      for (const label of there ?? []) known.add(label)
      for (const label of labels) expect([...(there ?? []), ...ofPrometheus]).toContain(label)
    }
    for (const label of grouping) expect([...known]).toContain(label)
  })

  test.skipIf(!hasPrometheus())(
    'Prometheus scrapes it by that configuration, and evaluates every rule',
    async () => {
      const config = read('prometheus.yml')
        .replace('127.0.0.1:8000', new URL(example.url).host)
        .replace('alerts.yml', join(deploy, 'alerts.yml'))
        .replaceAll('15s', '2s')
      const prometheus = await startPrometheus(config)
      try {
        interface Target {
          readonly health: string
          readonly lastError: string
        }
        interface Group {
          readonly rules: readonly { readonly name: string; readonly health: string; readonly lastError?: string }[]
        }
        let targets: readonly Target[] = []
        while (!targets.some(({ health }) => health !== 'unknown')) {
          targets = ((await prometheus.api('targets')) as { activeTargets: Target[] }).activeTargets
        }
        expect(targets).toMatchObject([{ health: 'up', lastError: '' }])
        let rules: Group['rules'] = []
        while (rules.length === 0 || rules.some(({ health }) => health === 'unknown')) {
          rules = ((await prometheus.api('rules')) as { groups: Group[] }).groups.flatMap((group) => group.rules)
        }
        expect(rules.filter(({ health }) => health !== 'ok')).toEqual([])
        const query = encodeURIComponent('http_requests_total{endpoint="/authors",status_code="200"}')
        expect(await prometheus.api(`query?query=${query}`)).toMatchObject({
          result: [{ metric: { job: 'authors', method: 'GET' }, value: [expect.any(Number), '1'] }],
        })
      } finally {
        await prometheus.stop()
      }
    },
    120_000,
  )

  test('the table of metrics lists each with its type and labels, and nothing else [defect 69]', () => {
    const documented = readMetricsPage()
    const served = new Map(
      [...scrape.families]
        .filter(([name]) => !/^(?:nodejs|process)_/.test(name))
        .map(([name, { type, samples }]) => [
          name,
          {
            type,
            labels: Object.keys(samples[0]?.labels ?? {})
              .filter((label) => label !== 'le')
              .sort(),
          },
        ]),
    )
    for (const name of notThere) if (!served.has(name)) documented.delete(name)
    expect(Object.fromEntries([...documented].sort())).toEqual(Object.fromEntries([...served].sort()))
  })
})

/** Some traffic of each kind, so that all series exist that are created by events. */
async function afterTraffic(example: Example): Promise<Scrape> {
  const { admin } = example.tokens ?? { admin: '' }
  const authorization = `Bearer ${admin}`
  const http = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${example.url}${path}`, { ...init, headers: { authorization, 'content-type': 'application/json' } })
  expect((await http('/authors')).status).toBe(200)
  expect((await http('/authors/999999')).status).toBe(404)
  expect((await fetch(`${example.url}/authors`)).status).toBe(401)
  const client = await PackageClient.connect(example.socketUrl, admin)
  await client.call(1, {})
  await client.close()
  return readScrape(await (await fetch(`${example.url}/metrics`)).text())
}

test.each(alertExpressions)(
  '$where has a case in which it fires and one in which it does not [defect 63]',
  ({ where }) => {
    interface Case {
      readonly alertname: string
      readonly exp_alerts: readonly unknown[]
    }
    const { tests }: { readonly tests: readonly { readonly alert_rule_test: readonly Case[] }[] } = parse(
      read('alerts.test.yml'),
    )
    const cases = tests.flatMap(({ alert_rule_test }) => alert_rule_test).filter(({ alertname }) => alertname === where)
    expect(new Set(cases.map(({ exp_alerts }) => exp_alerts.length > 0))).toEqual(new Set([true, false]))
  },
)

describe.skipIf(!hasPromtool())('promtool', () => {
  test('accepts the configuration and the alerts, whose tests pass [defect 63]', () => {
    for (const { code, output } of [
      checkConfig(join(deploy, 'prometheus.yml')),
      checkRules(join(deploy, 'alerts.yml')),
      testRules(join(deploy, 'alerts.test.yml')),
    ]) {
      expect({ code, output }).toMatchObject({ code: 0 })
    }
    expect(alertExpressions).toHaveLength(read('alerts.yml').split('- alert:').length - 1)
  })

  test('accepts every expression of the dashboards', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-rules-'))
    try {
      const rules = panelsOfPrometheus.map(
        ({ expr }, i) => `      - record: panel:${i}\n        expr: ${JSON.stringify(withValues(expr, '5m'))}\n`,
      )
      const file = join(folder, 'dashboard.yml')
      await writeFile(file, `groups:\n  - name: dashboard\n    rules:\n${rules.join('')}`)
      expect(checkRules(file)).toMatchObject({ code: 0 })
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
})
