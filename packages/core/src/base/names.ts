import { BootError } from './boot-error.ts'
import type { InstrumentType } from './instruments.ts'

const namePattern = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const labelPattern = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/
/** What exporters append to the name of a counter or a histogram for their series. */
const seriesSuffixes = /_(?:total|count|sum|bucket|created)$/

/** Checked here because an exporter cannot report an invalid name: a scrape would fail, or merge two series. */
export function checkNames(name: string, help: string, type: InstrumentType, labelNames: readonly string[]): void {
  const refuse = (message: string): never => {
    throw new BootError('bad_option', message)
  }
  if (!namePattern.test(name))
    refuse(`The instrument '${name}' has a name that is not made of letters, digits, _ and :`)
  if (type === 'counter' && !name.endsWith('_total')) refuse(`The counter ${name} must have a name that ends in _total`)
  if (type !== 'counter' && seriesSuffixes.test(name))
    refuse(`The ${type} ${name} must not end in ${seriesSuffixes.exec(name)?.[0]}, which belongs to other instruments`)
  if (help === '') refuse(`The instrument ${name} needs a help text`)
  const reserved = type === 'histogram' ? ['le'] : []
  for (const label of labelNames) {
    if (!labelPattern.test(label) || reserved.includes(label))
      refuse(`The instrument ${name} has a label '${label}', which Prometheus does not allow there: rename it`)
  }
}
