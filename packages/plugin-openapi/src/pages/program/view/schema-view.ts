import { listOf, stringsOf, textOf } from '../model/json.ts'
import {
  itemsOf,
  kindOf,
  propertiesOf,
  type Schema,
  summaryOf,
  titleOf,
  variantsOf,
  withoutNull,
} from '../model/schema.ts'
import { type Child, h } from './dom.ts'

const maxDepth = 5

/** What a value of a schema is, as a list that can be unfolded. */
export function schemaView(schema: Schema): HTMLElement {
  return h('div', { class: 'schema' }, ...describe(schema), ...childrenOf(schema, 0))
}

function describe(schema: Schema): readonly Child[] {
  const { node } = schema
  const title = titleOf(schema) || titleOf(withoutNull(schema))
  const description = textOf(node['description']) || textOf(withoutNull(schema).node['description'])
  const examples = listOf(node['examples'])
  return [
    h('span', { class: 'kind' }, title === '' ? summaryOf(schema) : `${title} (${summaryOf(schema)})`),
    node['default'] === undefined ? null : h('span', { class: 'kind' }, `default ${JSON.stringify(node['default'])}`),
    description === '' ? null : h('p', {}, description),
    examples.length === 0
      ? null
      : h('p', { class: 'quiet' }, `for example ${examples.map((each) => JSON.stringify(each)).join(', ')}`),
    ...[...stringsOf(node['x-notes']), textOf(node['x-note'])]
      .filter((note) => note !== '')
      .map((note) => h('p', { class: 'quiet' }, note)),
  ]
}

/** Deeper ones are made when they are unfolded: a schema may contain itself. */
function childrenOf(schema: Schema, depth: number): readonly Child[] {
  const inner = withoutNull(schema)
  const kind = kindOf(inner)
  if (kind === 'object') {
    const properties = propertiesOf(inner)
    if (properties.length === 0) return [h('p', { class: 'quiet' }, 'no fields')]
    return [h('ul', {}, ...properties.map(({ name, schema: each, isRequired }) => row(name, isRequired, each, depth)))]
  }
  if (kind === 'array') return hasChildren(itemsOf(inner)) ? childrenOf(itemsOf(inner), depth) : []
  if (kind === 'choice')
    return [h('ol', {}, ...variantsOf(inner).map((each, at) => row(`form ${at + 1}`, true, each, depth)))]
  return []
}

function hasChildren(schema: Schema): boolean {
  const inner = withoutNull(schema)
  const kind = kindOf(inner)
  return kind === 'object' || kind === 'choice' || (kind === 'array' && hasChildren(itemsOf(inner)))
}

function row(name: string, isRequired: boolean, schema: Schema, depth: number): HTMLElement {
  const head: readonly Child[] = [
    h('code', {}, name),
    isRequired ? null : h('span', { class: 'tag' }, 'optional'),
    schema.node['deprecated'] === true && h('span', { class: 'tag' }, 'deprecated'),
  ]
  if (!hasChildren(schema) || depth >= maxDepth) return h('li', {}, ...head, ...describe(schema))
  const body = h('div', {})
  const details = h(
    'details',
    {
      toggle: () => {
        if (details.open && body.childElementCount === 0) body.append(...nodes(childrenOf(schema, depth + 1)))
      },
    },
    h('summary', {}, ...head, h('span', { class: 'kind' }, summaryOf(schema))),
    body,
  )
  details.open = depth === 0
  return h('li', {}, details)
}

function nodes(children: readonly Child[]): readonly Node[] {
  return children.filter((child) => child instanceof Node)
}
