import { readErrors, readFacts } from './facts.ts'
import { type Fields, fieldsOf, listOf, stringsOf, textOf } from './json.ts'
import type { ErrorInfo, HttpSide, Operation } from './model.ts'
import { follow, kindOf, type Schema, schemaOf } from './schema.ts'

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']

/** What OpenAPI says: every route that is served over HTTP. */
export function readOpenApi(root: Fields): readonly Operation[] {
  const items = Object.values(fieldsOf(root['paths'])).map(fieldsOf)
  const operations = items.flatMap((item) => [
    ...methods.map((method) => item[method]),
    ...Object.values(fieldsOf(item['x-additional-operations'])),
  ])
  return operations.flatMap((value) => {
    const operation = fieldsOf(value)
    if (typeof operation['x-http'] !== 'string') return []
    const facts = readFacts(operation)
    return [{ ...facts, ws: null, overHttp: readSide(root, operation), errors: readAllErrors(root, operation) }]
  })
}

function readAllErrors(root: Fields, operation: Fields): readonly ErrorInfo[] {
  return Object.values(fieldsOf(operation['responses'])).flatMap((response) =>
    readErrors(follow(root, response)['x-error-codes']),
  )
}

interface Body {
  readonly type: string | null
  readonly schema: Schema | null
}

/** Parameters and body are one input, as the client takes it. */
function readSide(root: Fields, operation: Fields): HttpSide {
  // Headers are those of the client.
  const parameters = listOf(operation['parameters'])
    .map((each) => follow(root, each))
    .filter((each) => each['in'] === 'path' || each['in'] === 'query')
  // The client calls the rest of a path without a name `*`.
  const isUnnamed = /\/\*$/.test(textOf(operation['x-http']))
  const nameOf = ({ name, in: where }: Fields): string => (isUnnamed && where === 'path' ? '*' : textOf(name))
  const body = readBody(root, operation)
  const ofParameters = Object.fromEntries(
    parameters.map((each) => {
      const { schema, description, deprecated } = each
      const said = { ...(description !== undefined && { description }), ...(deprecated === true && { deprecated }) }
      return [nameOf(each), { ...fieldsOf(schema), ...said }]
    }),
  )
  const required = parameters.filter((each) => each['required'] === true).map(nameOf)
  const query = body.type === null ? [] : parameters.filter((each) => each['in'] === 'query').map(nameOf)
  const common = { query, contentType: body.type, output: readOutput(root, operation) }
  const isJson = body.type === null || body.type === 'application/json'
  if (!isJson)
    return {
      ...common,
      input: body.schema,
      unsent: `Its body is ${body.type}: a form sends JSON. Use another tool, such as curl`,
    }
  if (body.schema === null || parameters.length === 0) {
    const own: Schema = schemaOf(root, {
      type: 'object',
      properties: ofParameters,
      required,
      additionalProperties: false,
    })
    const input = body.schema ?? (parameters.length === 0 ? null : own)
    return { ...common, input, unsent: null }
  }
  if (kindOf(body.schema) !== 'object' && kindOf(body.schema) !== 'map')
    return { ...common, input: { root, node: {} }, unsent: null }
  const node = {
    ...body.schema.node,
    type: 'object',
    properties: { ...ofParameters, ...fieldsOf(body.schema.node['properties']) },
    required: [...required, ...stringsOf(body.schema.node['required'])],
  }
  return { ...common, input: { root, node }, unsent: null }
}

function readBody(root: Fields, operation: Fields): Body {
  const content = fieldsOf(follow(root, operation['requestBody'])['content'])
  const type = Object.hasOwn(content, 'application/json') ? 'application/json' : Object.keys(content)[0]
  if (type === undefined) return { type: null, schema: null }
  const schema = fieldsOf(content[type])['schema']
  return { type, schema: schema === undefined ? null : schemaOf(root, schema) }
}

function readOutput(root: Fields, operation: Fields): Schema | null {
  for (const [status, response] of Object.entries(fieldsOf(operation['responses']))) {
    if (!status.startsWith('2')) continue
    for (const media of Object.values(fieldsOf(follow(root, response)['content']))) {
      const schema = fieldsOf(media)['x-item-schema'] ?? fieldsOf(media)['schema']
      if (schema !== undefined) return schemaOf(root, schema)
    }
  }
  return null
}
