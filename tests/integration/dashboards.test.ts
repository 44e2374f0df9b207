// The dashboards of the example as files: what Grafana accepts, and what a reader needs. Their queries: dashboards-queries.test.ts.
import { describe, expect, it, test } from 'vitest'
import { compile } from '../support/compiler.ts'
import { alerts, dashboards, panelQueries } from '../support/dashboards.ts'
import { readMetricsPage } from '../support/metrics-page.ts'

/** Types of panels, each with the module of `@grafana/schema` that has its options. */
const panelTypes = { timeseries: 'TimeSeries', table: 'Table', logs: 'Logs' } as const
/** Panels of these types show no numbers. */
const withoutUnit = ['row', 'table', 'logs']

/** A source that compiles when the JSON has what Grafana declares, and nothing else. */
function toSource(sources: readonly string[]): string {
  const imports = Object.entries(panelTypes).map(
    ([type, name]) =>
      `import type * as ${type} from '@grafana/schema/dist/esm/raw/composable/${type}/panelcfg/x/${name}PanelCfg_types.gen'`,
  )
  const check = (type: string, value: unknown): string => `{ const value: Plain<${type}> = ${JSON.stringify(value)} }`
  const blocks = sources.flatMap((text) => {
    const dashboard: {
      readonly panels: readonly { type: string; options?: object; fieldConfig?: { defaults: { custom?: object } } }[]
    } = JSON.parse(text)
    const panels = dashboard.panels.flatMap(({ type, options, fieldConfig }) => [
      ...(options === undefined ? [] : [check(`${type}.Options`, options)]),
      ...(fieldConfig?.defaults.custom === undefined
        ? []
        : [check(`Partial<${type}.FieldConfig>`, fieldConfig.defaults.custom)]),
    ])
    return [check('Dashboard', dashboard), ...panels]
  })
  // In JSON the members of an enum are its values.
  const plain = 'T extends (infer E)[] ? Plain<E>[] : T extends object ? { [K in keyof T]: Plain<T[K]> } : T'
  return [
    "import type { Dashboard } from '@grafana/schema'",
    ...imports,
    `type Plain<T> = T extends string ? \`\${T}\` : ${plain}`,
    ...blocks,
  ].join('\n')
}

test('the dashboards are what the schema of Grafana declares, without names that it does not have', () => {
  const sources = dashboards.map(({ text }) => text)
  expect(compile(toSource(sources)).errors).toEqual([])
  const wrong = (sources[0] ?? '')
    .replace('"refresh": "30s"', '"refreshh": "30s"')
    .replace('"showLegend"', '"showLegends"')
    .replace('"fillOpacity"', '"fillOpacities"')
  const { errors } = compile(toSource([wrong]))
  for (const name of ['refreshh', 'showLegends', 'fillOpacities'])
    expect(errors.some((error) => error.includes(name))).toBe(true)
}, 120_000)

describe.each(dashboards)('$file', ({ text, dashboard }) => {
  const panels = dashboard.panels.filter(({ type }) => type !== 'row')

  it('says of each panel what it shows, in which unit, and what a bad value means', () => {
    for (const { title, type, description = '', fieldConfig } of panels) {
      expect(title).not.toBe('')
      expect([title, description.length > 20]).toEqual([title, true])
      if (!withoutUnit.includes(type)) expect([title, fieldConfig?.defaults.unit]).toEqual([title, expect.any(String)])
    }
    expect(dashboard.description).not.toBe('')
  })

  it('has panels with ids and titles of their own, which do not overlap', () => {
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    const titles = dashboard.panels.map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24)
      return Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`)
    })
    expect(new Set(cells).size).toBe(cells.length)
  })

  it('asks the source of data that its user chooses, by variables that exist', () => {
    const variables = dashboard.templating.list
    const names = variables.map(({ name }) => name)
    expect(names.slice(0, 1)).toEqual(['datasource'])
    expect(names).toContain('instance')
    for (const { datasource, targets } of panels) {
      const name = datasource?.type === 'loki' ? 'loki' : 'datasource'
      expect(datasource?.uid).toBe(`\${${name}}`)
      for (const target of targets) expect(target.datasource).toEqual(datasource)
    }
    const used = new Set([...text.matchAll(/\$\{?((?!__)[a-z_]+)\b/g)].map(([, name = '']) => name))
    expect([...used].toSorted()).toEqual(names.toSorted())
    for (const { targets } of panels)
      for (const { expr, datasource } of targets)
        if (datasource.type === 'prometheus') expect(expr).toContain('instance=~"$instance"')
  })
})

test('each dashboard has a uid and a title of its own', () => {
  for (const key of ['uid', 'title'] as const)
    expect(new Set(dashboards.map(({ dashboard }) => dashboard[key])).size).toBe(dashboards.length)
})

/** Series for each process and nothing else: the settings of a process. */
const perProcess = /^(?:app_info|db_pool_info|redis_pool_info)\{[^}]*\}$/

test.each(panelQueries.filter(({ source }) => source === 'prometheus'))(
  '$where has a bounded number of series',
  ({ expr }) => {
    if (perProcess.test(expr)) return
    // A query begins with what adds series up, and so does each operand.
    expect(expr).toMatch(/^(?:sum|max|min|topk|histogram_quantile)\b/)
    for (const [, operand = ''] of expr.matchAll(/ [/] \(?(\w+)/g)) expect(operand).toBe('sum')
    // By a route and a code at once, a dashboard of a large app has thousands of series.
    for (const [, labels = ''] of expr.matchAll(/^(?:sum|max|min) by \(([^)]*)\)/g))
      expect(
        ['endpoint', 'handler', 'pkg_id', 'task', 'error_type, handler'].filter((each) => labels.includes(each)),
      ).toEqual([])
  },
)

test('each metric of the page is on a dashboard or in an alert', () => {
  const names = [...readMetricsPage().keys()]
  expect(names.length).toBeGreaterThan(90)
  const used = [...panelQueries, ...alerts].map(({ expr }) => expr).join('\n')
  const isUsed = (name: string): boolean => new RegExp(`\\b${name}(?:_bucket|_count|_sum)?\\b`).test(used)
  expect(names.filter((name) => !isUsed(name))).toEqual([])
})
