/** The two formats of a scrape: Prometheus text 0.0.4, and OpenMetrics 1.0.0. Sample lines are the same in both. */
export type Format = 'text' | 'openmetrics'

export const contentTypes: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** What follows the last family. */
export const endings: Readonly<Record<Format, string>> = { text: '', openmetrics: '# EOF\n' }

/** The two lines before the samples of a family. In OpenMetrics the family name of a counter has no `_total`, its samples have it. */
export function toHeader(name: string, help: string, type: string, format: Format): string {
  const isOpen = format === 'openmetrics'
  const family = isOpen && type === 'counter' ? toBaseName(name) : name
  const text = escapeText(help)
  return `# HELP ${family} ${isOpen ? text.replaceAll('"', '\\"') : text}\n# TYPE ${family} ${type}\n`
}

export function toBaseName(counter: string): string {
  return counter.endsWith('_total') ? counter.slice(0, -'_total'.length) : counter
}

/** `a="1",b="2"`, in the order given. */
export function toLabels(labels: Readonly<Record<string, string>>): string {
  let text = ''
  for (const [name, value] of Object.entries(labels)) {
    text += `${text === '' ? '' : ','}${name}="${escapeText(value).replaceAll('"', '\\"')}"`
  }
  return text
}

/** What precedes the value: `name{labels} `. */
export function toPrefix(name: string, labels: string): string {
  return labels === '' ? `${name} ` : `${name}{${labels}} `
}

/** Throws for anything but a number: a function of a gauge may return a promise or undefined in JavaScript. */
export function toNumber(value: number): string {
  if (typeof value !== 'number') throw new TypeError(`A value must be a number, received ${typeof value}`)
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

/** OpenMetrics writes an integer bound as `1.0`; the label `1` would be another series. */
export function toBound(bound: number): string {
  return Number.isInteger(bound) && Math.abs(bound) < 1e21 ? `${bound}.0` : toNumber(bound)
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
