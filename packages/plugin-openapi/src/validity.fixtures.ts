import { Parser } from '@asyncapi/parser'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { Ajv, type AnySchemaObject } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { isRecord, type Json, toNode } from './schemas/node.ts'

/** Rules about the structure; what a style guide would want is not asked. */
const rules = {
  struct: 'error',
  'no-unresolved-refs': 'error',
  'no-identical-paths': 'error',
  'no-path-trailing-slash': 'error',
  'path-declaration-must-exist': 'error',
  'path-not-include-query': 'error',
  'path-parameters-defined': 'error',
  'operation-operationId-unique': 'error',
  'operation-operationId-url-safe': 'error',
  'operation-parameters-unique': 'error',
  'operation-4xx-response': 'error',
  'operation-tag-defined': 'error',
  'no-enum-type-mismatch': 'error',
  'no-schema-type-mismatch': 'error',
  'no-undefined-server-variable': 'error',
  'no-invalid-schema-examples': 'error',
  'no-invalid-media-type-examples': 'error',
  'security-defined': 'error',
} as const

/** What Redocly finds, as text: nothing in a valid document. */
export async function lintOpenApi(document: Json): Promise<readonly string[]> {
  const config = await createConfig({ rules })
  const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: '/openapi.json', config })
  return problems.map(({ message, ruleId, location }) => `${ruleId} ${location[0]?.pointer ?? ''}: ${message}`)
}

/** What the parser of AsyncAPI finds. Without advice; it takes seconds for a document of a hundred schemas. */
export async function lintAsyncApi(document: Json): Promise<readonly string[]> {
  const { diagnostics } = await new Parser({ ruleset: { recommended: false } }).parse(JSON.stringify(document))
  const errors = diagnostics.filter(({ severity }) => severity <= 1)
  return errors.map(({ message, path, code }) => `${code} ${path.join('/')}: ${message}`)
}

/** A validator of the schemas of a document: formats are annotations, as in draft 2020-12. */
export function createValidator(document: Json): (schema: Json) => (value: unknown) => boolean {
  const options = { strict: false, validateFormats: false, allErrors: false } as const
  const isOpenApi = 'openapi' in document
  const ajv = isOpenApi ? new Ajv2020(options) : new Ajv(options)
  ajv.addSchema({ $id: 'document:', components: document['components'] }, 'document:')
  return (schema) => {
    const text = JSON.stringify(schema).replaceAll('"#/components/', '"document:#/components/')
    const parsed: AnySchemaObject = JSON.parse(text)
    const validate = ajv.compile(parsed)
    return (value) => validate(value) === true
  }
}

/** Examples and defaults anywhere in the schemas of a document that do not match their schema. */
export function findWrongExamples(document: Json): readonly string[] {
  const validator = createValidator(document)
  const wrong: string[] = []
  const visit = (value: unknown, path: string): void => {
    if (Array.isArray(value)) for (const [i, item] of value.entries()) visit(item, `${path}/${i}`)
    if (!isRecord(value)) return
    const { examples, default: fallback, ...schema } = value
    const values = [...(Array.isArray(examples) ? examples : []), ...('default' in value ? [fallback] : [])]
    if (values.length > 0 && !path.endsWith('/properties')) {
      const isValid = validator(schema)
      for (const each of values) if (!isValid(each)) wrong.push(`${path}: ${JSON.stringify(each)}`)
    }
    for (const [key, item] of Object.entries(value)) visit(item, `${path}/${key}`)
  }
  visit(toNode(document['components'])['schemas'], '')
  visit(document['paths'], 'paths')
  return wrong
}
