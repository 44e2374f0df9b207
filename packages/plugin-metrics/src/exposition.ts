/** The two text forms of a scrape: Prometheus 0.0.4, and OpenMetrics 1.0.0. Lines of samples are alike in both. */
export type Format = 'text' | 'openmetrics'

export const contentTypes: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** What stands behind the last family. */
export const endings: Readonly<Record<Format, string>> = { text: '', openmetrics: '# EOF\n' }

/** The two lines above the samples of a family. OpenMetrics names a counter without its `_total`, and its samples with it. */
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

/** What comes before the value: `name{labels} `. */
export function toPrefix(name: string, labels: string): string {
  return labels === '' ? `${name} ` : `${name}{${labels}} `
}

/** Throws for what is none: a function that is read may be one of JavaScript, and answer by a promise or by nothing. */
export function toNumber(value: number): string {
  if (typeof value !== 'number') throw new TypeError(`A figure must be a number, not ${typeof value}`)
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value)
}

/** A bound in a label is a text: `1.0` and `1` would be two series, and OpenMetrics writes the former. */
export function toBound(bound: number): string {
  return Number.isInteger(bound) && Math.abs(bound) < 1e21 ? `${bound}.0` : toNumber(bound)
}

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}
