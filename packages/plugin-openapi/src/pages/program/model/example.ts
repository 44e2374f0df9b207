import { listOf } from './json.ts'
import { isNullable, itemsOf, kindOf, propertiesOf, type Schema, variantsOf, withoutNull } from './schema.ts'

/** What the schema itself offers as a value: an example, else its default; undefined for none. */
export function offeredBy({ node }: Schema): unknown {
  const [example] = listOf(node['examples'])
  return example ?? node['example'] ?? node['default']
}

const maxDepth = 6

/** A value to read: of examples and defaults where there are some, else of the kind alone. Optional properties are shown, too. */
export function exampleOf(schema: Schema, depth = 0): unknown {
  const offered = offeredBy(schema)
  if (offered !== undefined) return offered
  if (depth > maxDepth) return null
  const inner = withoutNull(schema)
  switch (kindOf(inner)) {
    case 'const':
      return inner.node['const']
    case 'enum':
      return listOf(inner.node['enum'])[0]
    case 'choice': {
      const [first] = variantsOf(inner)
      return first === undefined ? null : exampleOf(first, depth + 1)
    }
    case 'object': {
      const shown = propertiesOf(inner).filter(({ isRequired }) => isRequired || depth < 2)
      return Object.fromEntries(shown.map(({ name, schema: each }) => [name, exampleOf(each, depth + 1)]))
    }
    case 'array':
      return depth < maxDepth && kindOf(itemsOf(inner)) !== 'unknown' ? [exampleOf(itemsOf(inner), depth + 1)] : []
    case 'map':
      return {}
    case 'integer':
    case 'number':
      return inner.node['minimum'] ?? 1
    case 'boolean':
      return true
    case 'string':
      return isNullable(schema) && depth > 0 ? null : 'text'
    default:
      return null
  }
}
