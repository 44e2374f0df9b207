import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as v from 'valibot'
import { parse } from 'yaml'

export const deployFolder = fileURLToPath(new URL('../../examples/authors/deploy/', import.meta.url))
const folder = join(deployFolder, 'grafana/dashboards')

const Source = v.object({ type: v.string(), uid: v.string() })
const Target = v.object({ refId: v.string(), expr: v.string(), datasource: Source })
const Panel = v.object({
  id: v.number(),
  type: v.string(),
  title: v.string(),
  description: v.optional(v.string()),
  datasource: v.optional(Source),
  gridPos: v.object({ x: v.number(), y: v.number(), w: v.number(), h: v.number() }),
  fieldConfig: v.optional(v.object({ defaults: v.object({ unit: v.optional(v.string()) }) })),
  targets: v.optional(v.array(Target), []),
})
const Dashboard = v.object({
  uid: v.string(),
  title: v.string(),
  description: v.string(),
  templating: v.object({
    list: v.array(
      v.object({
        name: v.string(),
        type: v.string(),
        query: v.union([v.string(), v.object({ query: v.string() })]),
      }),
    ),
  }),
  panels: v.array(Panel),
})

/** What the tests read of a dashboard of Grafana. */
export type Dashboard = v.InferOutput<typeof Dashboard>

/** The dashboards of the example, with the text of their files. */
export const dashboards: readonly {
  readonly file: string
  readonly text: string
  readonly dashboard: Dashboard
}[] = readdirSync(folder).map((file) => {
  const text = readFileSync(join(folder, file), 'utf8')
  return { file, text, dashboard: v.parse(Dashboard, JSON.parse(text)) }
})

/** A query of a panel, for the source of data of that type. */
export interface PanelQuery {
  readonly where: string
  readonly source: string
  readonly expr: string
}

export const panelQueries: readonly PanelQuery[] = dashboards.flatMap(({ file, dashboard }) =>
  dashboard.panels.flatMap(({ title, targets }) =>
    targets.map(({ refId, expr, datasource }) => ({
      where: `${file}: ${title} ${refId}`,
      source: datasource.type,
      expr,
    })),
  ),
)

/** As Grafana sends it, with all values of the variables, over `range`. */
export function withValues(expr: string, range: string): string {
  return expr.replaceAll(/\$__(?:rate_interval|auto)\b/g, range).replaceAll(/\$[a-z_]+\b/g, '.*')
}

const Rules = v.object({
  groups: v.array(
    v.object({
      name: v.string(),
      rules: v.array(
        v.object({
          alert: v.string(),
          expr: v.string(),
          for: v.optional(v.string()),
          labels: v.object({ severity: v.picklist(['critical', 'warning']) }),
          annotations: v.record(v.string(), v.string()),
        }),
      ),
    }),
  ),
})

/** The alerts of the example. */
export const alerts = v
  .parse(Rules, parse(readFileSync(join(deployFolder, 'alerts.yml'), 'utf8')))
  .groups.flatMap(({ rules }) => rules)
