import { get, has, isNode, listAt, type Node, nodeAt, textAt, toNode } from '../json.ts'
import type { SchemaSource } from '../schema/schema-source.ts'

/** An operation of a path, with what the path says for all of its operations. */
export interface Operation {
  /** `POST /authors/{id}`. */
  readonly name: string
  /** The same for paths that differ only in names of parameters. */
  readonly key: string
  readonly node: Node
  readonly parameters: readonly Node[]
  /** Names of path parameters in their order. */
  readonly pathNames: readonly string[]
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

export function operationsOf(document: Node, source: SchemaSource): ReadonlyMap<string, Operation> {
  const operations = new Map<string, Operation>()
  for (const [path, value] of Object.entries(nodeAt(document, 'paths'))) {
    const item = source.follow(value)
    const add = (method: string, ofPath: string, node: Node): void => {
      const operation = toOperation(method, ofPath, node, item, source)
      operations.set(operation.key, operation)
    }
    for (const method of methods) if (isNode(get(item, method))) add(method, path, nodeAt(item, method))
    for (const [name, node] of Object.entries(nodeAt(item, 'x-additional-operations'))) {
      const [method = '', ofPath = ''] = name.split(' ', 2)
      add(method, ofPath, toNode(node))
    }
  }
  return operations
}

function toOperation(method: string, path: string, node: Node, item: Node, source: SchemaSource): Operation {
  const parameters = new Map<string, Node>()
  for (const each of [...listAt(item, 'parameters'), ...listAt(node, 'parameters')]) {
    const parameter = source.follow(each)
    parameters.set(`${textAt(parameter, 'in')} ${textAt(parameter, 'name')}`, parameter)
  }
  const verb = method.toUpperCase()
  return {
    name: `${verb} ${path}`,
    key: `${verb} ${path.replace(/\{[^}]*\}/g, '{}')}`,
    node,
    parameters: [...parameters.values()],
    pathNames: [...path.matchAll(/\{([^}]*)\}/g)].map(([, name = '']) => name),
  }
}

/** Parameters of one place as a schema of one object. Path parameters get the names that `pathNames` gives them, in their order. */
export function toObjectSchema(operation: Operation, place: string, pathNames: readonly string[]): Node {
  const found = operation.parameters.filter((each) => textAt(each, 'in') === place)
  const rename = (parameter: Node): string => {
    const name = textAt(parameter, 'name')
    if (place !== 'path') return place === 'header' ? name.toLowerCase() : name
    const at = operation.pathNames.indexOf(name)
    return pathNames[at] ?? name
  }
  return {
    type: 'object',
    properties: Object.fromEntries(found.map((each) => [rename(each), schemaOf(each)])),
    required: found.filter((each) => get(each, 'required') === true).map(rename),
  }
}

/** Of a parameter, or of a header of an answer. */
export function schemaOf(parameter: Node): unknown {
  const [content] = Object.values(nodeAt(parameter, 'content'))
  const schema = has(parameter, 'schema') ? get(parameter, 'schema') : get(toNode(content), 'schema')
  const isDeprecated = get(parameter, 'deprecated') === true
  if (!has(parameter, 'x-note') && !isDeprecated) return schema
  // A note of a parameter, such as that of a wildcard, is one of its value.
  return {
    allOf: [schema ?? true],
    ...(has(parameter, 'x-note') && { 'x-note': get(parameter, 'x-note') }),
    ...(isDeprecated && { deprecated: true }),
  }
}
