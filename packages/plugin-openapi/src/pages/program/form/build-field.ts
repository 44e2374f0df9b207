import { listOf } from '../model/json.ts'
import { isNullable, kindOf } from '../model/schema.ts'
import type { Field, FieldOptions } from './field.ts'
import { arrayField, choiceField, objectField } from './group-fields.ts'
import { constField, jsonField, numberField, selectField, textField } from './simple-fields.ts'

/** Deeper than this a value is written as JSON. */
const maxDepth = 6

/** The field of a schema. What it does not know is written as JSON. */
export function buildField(options: FieldOptions): Field {
  const { schema, depth, isRequired } = options
  if (depth > maxDepth) return jsonField(options)
  if (isNullable(schema)) return choiceField(options, buildField)
  switch (kindOf(schema)) {
    case 'object':
      return objectField(options, buildField)
    case 'array':
      return arrayField(options, buildField)
    case 'choice':
      return choiceField(options, buildField)
    case 'const':
      return isRequired ? constField(options) : selectField(options, [schema.node['const']])
    case 'enum':
      return selectField(options, listOf(schema.node['enum']))
    case 'boolean':
      return selectField(options, [true, false])
    case 'integer':
    case 'number':
      return numberField(options)
    case 'string':
      return textField(options)
    default:
      return jsonField(options)
  }
}
