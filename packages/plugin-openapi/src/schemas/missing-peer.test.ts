import * as v from 'valibot'
import { expect, it } from 'vitest'
import { createSchemaConverter } from './json-schema.ts'

it('describes schemas of valibot as unknown values without the converter, with one warning for each place', async () => {
  const warnings: string[] = []
  const converter = await createSchemaConverter(
    (message) => warnings.push(message),
    async () => null,
  )
  for (let n = 0; n < 2; n++)
    expect(converter.convert(v.string(), 'input', 'draft-07', 'The input of route A')).toEqual({
      schema: { 'x-note': 'The server checks it; the schema is not described' },
      definitions: {},
    })
  expect(warnings).toEqual([
    'The input of route A is described as an unknown value: install @valibot/to-json-schema, which converts the schemas of valibot',
  ])
})
