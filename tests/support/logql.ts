// Queries of Loki, read with the grammar of Grafana: what they select, filter and show.
import { parser } from '@grafana/lezer-logql'

/** A line of the log: its fields as `| json` of Loki names them, nested ones joined by `_`. */
export interface LogLine {
  readonly text: string
  readonly fields: ReadonlyMap<string, string>
}

interface LabelFilter {
  readonly name: string
  readonly operator: string
  readonly value: string
}

export interface LogQuery {
  /** Whether the whole query is of the grammar. */
  readonly isValid: boolean
  /** Labels of the selector, with their values. */
  readonly labels: Readonly<Record<string, string>>
  /** What lines contain: `|=`. */
  readonly contained: readonly string[]
  readonly filters: readonly LabelFilter[]
  /** Every field that it names: in filters, groupings, `unwrap` and `line_format`. */
  readonly fields: readonly string[]
}

/** Splits a query without variables into its parts. */
export function readLogQuery(query: string): LogQuery {
  const labels: Record<string, string> = {}
  const contained: string[] = []
  const filters: LabelFilter[] = []
  const fields = new Set<string>()
  let isValid = true
  const text = (node: { from: number; to: number }): string => query.slice(node.from, node.to)
  parser.parse(query).iterate({
    enter(node) {
      if (node.type.isError) isValid = false
      const parents = parentsOf(node.node)
      if (node.name === 'Matcher' || node.name === 'NumberFilter') {
        const [, name = '', operator = '', value = ''] = /^\s*(\w+)\s*([=!~<>]+)\s*(.*)$/s.exec(text(node)) ?? []
        if (parents.includes('Selector')) labels[name] = unquote(value)
        else filters.push({ name, operator, value: unquote(value) })
      }
      if (node.name === 'Identifier' && !parents.includes('Selector')) fields.add(text(node))
      if (node.name === 'String' && parents.includes('LineFilter')) contained.push(unquote(text(node)))
      if (node.name === 'String' && parents.includes('LineFormatExpr'))
        for (const [, name = ''] of text(node).matchAll(/\{\{\s*\.(\w+)\s*\}\}/g)) fields.add(name)
    },
  })
  // Of Loki itself: set when a line could not be parsed.
  fields.delete('__error__')
  return {
    isValid,
    labels,
    contained,
    filters: filters.filter(({ name }) => name !== '__error__'),
    fields: [...fields],
  }
}

function parentsOf(node: { readonly name: string; readonly parent: unknown } | null): readonly string[] {
  const names: string[] = []
  let each = node?.parent
  while (isNode(each)) {
    names.push(each.name)
    each = each.parent
  }
  return names
}

function isNode(value: unknown): value is { readonly name: string; readonly parent: unknown } {
  return typeof value === 'object' && value !== null && 'name' in value && 'parent' in value
}

function unquote(value: string): string {
  return value.trim().replace(/^["`](.*)["`]$/s, '$1')
}

/** The lines of JSON in the output of a process. */
export function readLogLines(output: string): readonly LogLine[] {
  return output
    .split('\n')
    .filter((text) => text.startsWith('{"level"'))
    .map((text) => ({ text, fields: new Map(flatten('', JSON.parse(text))) }))
}

function flatten(prefix: string, value: unknown): [string, string][] {
  if (typeof value !== 'object') return [[prefix, String(value)]]
  // Loki leaves lists out, and null.
  if (value === null || Array.isArray(value)) return []
  return Object.entries(value).flatMap(([key, each]) => flatten(prefix === '' ? key : `${prefix}_${key}`, each))
}

/** The lines that contain what the query looks for. */
export function linesThatContain({ contained }: LogQuery, lines: readonly LogLine[]): readonly LogLine[] {
  return lines.filter(({ text }) => contained.every((each) => text.includes(each)))
}

/** Whether the filters of the query let a line pass. A field that a line does not have is empty, as in Loki. */
export function passes({ filters }: LogQuery, { fields }: LogLine): boolean {
  return filters.every(({ name, operator, value }) => {
    const found = fields.get(name) ?? ''
    switch (operator) {
      case '=':
        return found === value
      case '!=':
        return found !== value
      case '=~':
        return new RegExp(`^(?:${value})$`).test(found)
      case '>':
        return found !== '' && Number(found) > Number(value)
      case '>=':
        return found !== '' && Number(found) >= Number(value)
      default:
        throw new Error(`The operator ${operator} of ${name} is not known here`)
    }
  })
}
