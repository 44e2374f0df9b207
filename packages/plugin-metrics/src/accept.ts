import type { Format } from './exposition.ts'

const openMetrics = 'application/openmetrics-text'
const openMetricsVersions: readonly (string | undefined)[] = ['1.0.0', '0.0.1', undefined]

/**
 * The format that a scraper prefers, by the weights of its `Accept` header (RFC 9110, 12.5.1): OpenMetrics if it is listed and text does
 * not have a higher weight, otherwise the text format.
 */
export function toFormat(accept: string): Format {
  let open = 0
  let text = 0
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase())
    const weight = Number(parameterOf(parameters, 'q') ?? 1)
    if (!(weight > 0)) continue
    if (type === openMetrics) {
      if (openMetricsVersions.includes(parameterOf(parameters, 'version'))) open = Math.max(open, weight)
    } else if (type === 'text/plain' || type === 'text/*' || type === '*/*') text = Math.max(text, weight)
  }
  return open > 0 && open >= text ? 'openmetrics' : 'text'
}

function parameterOf(parameters: readonly string[], name: string): string | undefined {
  return parameters.find((each) => each.startsWith(`${name}=`))?.slice(name.length + 1)
}
