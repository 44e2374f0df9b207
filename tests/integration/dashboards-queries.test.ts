// Every query of every panel: of Prometheus, after it has scraped the running example under traffic and through outages; of Loki,
// against the lines that the example has written meanwhile.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { dashboards, deployFolder, panelQueries, withValues } from '../support/dashboards.ts'
import { linesThatContain, passes, readLogLines, readLogQuery } from '../support/logql.ts'
import { type ObservedApp, startObservedApp } from '../support/observed-app.ts'
import {
  callSlowly,
  instant,
  leaveEarly,
  makeCalls,
  makeTraffic,
  type ObservedExample,
  readAuthors,
  startObservedExample,
} from '../support/observed-example.ts'
import { hasPostgres } from '../support/postgres.ts'
import { hasPrometheus } from '../support/prometheus.ts'
import { hasOwnRedis } from '../support/redis.ts'

const hasServices = (await hasPostgres()) && hasOwnRedis() && hasPrometheus()
const ofPrometheus = panelQueries.filter(({ source }) => source === 'prometheus')
const ofLoki = panelQueries
  .filter(({ source }) => source === 'loki')
  .map(({ where, expr }) => ({ where, query: readLogQuery(withValues(expr, '1m')) }))

/** What users choose from, asked of Prometheus. */
const variables = dashboards.flatMap(({ file, dashboard }) =>
  dashboard.templating.list.flatMap(({ name, query }) =>
    typeof query === 'string' ? [] : [{ where: `${file}: $${name}`, query: query.query }],
  ),
)

describe.skipIf(!hasServices)('of the running example', () => {
  let observed: ObservedExample
  let app: ObservedApp
  beforeAll(async () => {
    app = await startObservedApp()
    observed = await startObservedExample({ targets: [app.target] })
    const { example, redis, database, scraped } = observed
    const work = async (): Promise<void> => {
      await makeTraffic(example)
      await app.work()
      await scraped()
    }
    // Series that the first event creates have a rate from the second one on.
    await work()
    await leaveEarly(observed, 600)
    await callSlowly(observed, 300)
    await redis.crash()
    await makeCalls(example)
    await scraped()
    await redis.restart()
    database.isRefusing = true
    database.cut()
    expect(await readAuthors(example, 5)).toEqual([503, 503, 503, 503, 503])
    while (!example.output().includes('The audit log cannot be written')) await scraped()
    await scraped()
    database.isRefusing = false
    await work()
  }, 240_000)
  afterAll(async () => {
    await observed?.stop()
    await app?.close()
  })

  test.each(ofPrometheus)('$where: Prometheus has series with numbers', async ({ expr }) => {
    const values = await instant(observed.prometheus, withValues(expr, '5m'))
    expect(values.filter(Number.isFinite)).not.toEqual([])
    expect(values.length).toBeLessThanOrEqual(50)
  })

  test.each(variables)('$where has values', async ({ query }) => {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(withValues(query, '5m')) ?? []
    expect(await observed.prometheus.api(`label/${label}/values?match[]=${encodeURIComponent(selector)}`)).not.toEqual(
      [],
    )
  })

  test.each(ofLoki)('$where: the log has its fields, and lines that it finds', ({ query }) => {
    const lines = linesThatContain(query, readLogLines(observed.example.output())).filter((line) => passes(query, line))
    expect(lines).not.toEqual([])
    const fields = new Set(lines.flatMap((line) => [...line.fields.keys()]))
    expect(query.fields.filter((field) => !fields.has(field))).toEqual([])
  })
})

describe('the queries of Loki', () => {
  test('are of its grammar', () => {
    expect(ofLoki.length).toBeGreaterThan(15)
    expect(ofLoki.filter(({ query }) => !query.isValid)).toEqual([])
    for (const wrong of [
      '{service="authors"',
      '{service="authors"} | json | x >',
      'sum by (x) (count_over_time({a="b"}))',
    ])
      expect([wrong, readLogQuery(wrong).isValid]).toEqual([wrong, false])
  })

  test('select by the labels that Alloy sets [defect 70]', () => {
    const alloy = readFileSync(join(deployFolder, 'config.alloy'), 'utf8')
    const set = Object.fromEntries(
      [...alloy.matchAll(/target_label = "(\w+)"\s+replacement {2}= "(\w+)"/g)].map(([, name = '', value]) => [
        name,
        value,
      ]),
    )
    expect(set).toEqual({ service: 'authors' })
    for (const { where, query } of ofLoki) expect([where, query.labels]).toEqual([where, set])
  })
})
