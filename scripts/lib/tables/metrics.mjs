import { declaredInstruments } from '../../../tests/support/metrics-app.ts'
import { toTable } from './markdown.mjs'

/** The tables of the page, by how the names of their metrics begin. */
const sections = {
  'metrics-http': ['http_'],
  'metrics-websocket': ['ws_'],
  'metrics-sse': ['sse_'],
  'metrics-hub': ['hub_', 'broker_', 'outbox_'],
  'metrics-app': ['app_', 'control_', 'metrics_', 'profiles_'],
  'metrics-database': ['db_', 'once_'],
  'metrics-tasks': ['task_'],
  'metrics-audit': ['audit_'],
  'metrics-auth': ['auth_', 'keycloak_', 'token_', 'circuit_breaker_'],
  'metrics-limits': ['rate_limit_', 'redis_'],
  'metrics-cluster': ['cluster_'],
}

/** Labels whose values are the same in every app. */
const fixed = new Set(['status', 'report', 'outcome', 'result', 'source', 'kind', 'limit_type', 'reason', 'type'])

const combined = { max: 'Of several workers the largest', one: 'Of several workers one of them', sum: null }

const toValues = ({ labelNames, cells, help }) =>
  labelNames
    .filter((label) => fixed.has(label))
    .map((label) => [label, [...new Set(cells.map(({ labels }) => labels[label]))]])
    .filter(([, values]) => values.some((value) => !help.includes(value)))
    .map(([label, values]) => `\`${label}\`: ${values.map((value) => `\`${value}\``).join(', ')}`)

const toRow = (family) => {
  const { name, type, labelNames, help, combine } = family
  const meaning = [help, ...toValues(family), combined[combine]].filter((part) => part !== null)
  return [`\`${name}\``, type, labelNames.map((label) => `\`${label}\``).join(' '), meaning.join('. ')]
}

const families = await declaredInstruments()
const parts = Object.entries(sections).map(([part, prefixes]) => {
  const rows = prefixes.flatMap((prefix) => families.filter(({ name }) => name.startsWith(prefix)))
  return [part, toTable(['metric', 'type', 'labels', 'meaning'], rows.map(toRow))]
})

const known = Object.values(sections).flat()
const homeless = families.filter(({ name }) => !known.some((prefix) => name.startsWith(prefix)))
if (homeless.length > 0)
  throw new Error(
    `No page has a table for ${homeless.map(({ name }) => name).join(', ')}: add one to scripts/lib/tables/metrics.mjs`,
  )

export const metrics = Object.fromEntries(parts)
