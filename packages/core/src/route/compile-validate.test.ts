import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import type { AnySchema } from '../base/schema.ts'
import { ValidationError } from '../errors/app-error.ts'
import { compileValidate } from './pipeline.ts'

const Input = v.object({
  id: v.pipe(v.string(), v.transform(Number)),
  tags: v.optional(v.array(v.object({ name: v.string() })), []),
})

describe('validation', () => {
  it('gives what the schema makes of the input', () => {
    const validate = compileValidate(Input)
    expect(validate?.({ id: '7', more: 1 })).toEqual({ id: 7, tags: [] })
  })

  it('throws issues with paths', () => {
    const validate = compileValidate(Input)
    expect(() => validate?.({ id: 7, tags: [{ name: 'a' }, {}] })).toThrow(
      expect.objectContaining({
        code: 'validation_error',
        message: 'Invalid input',
        details: [
          { path: 'id', message: expect.any(String) },
          { path: 'tags[1].name', message: expect.any(String) },
        ],
      }),
    )
    expect(() => validate?.(null)).toThrow(
      expect.objectContaining({ details: [{ path: '', message: expect.any(String) }] }),
    )
  })

  it('makes no promise for a schema that answers at once', () => {
    expect(compileValidate(Input)?.({ id: '7' })).not.toBeInstanceOf(Promise)
  })

  it('waits for one that does not', async () => {
    const validate = compileValidate(
      v.objectAsync({
        a: v.pipeAsync(
          v.string(),
          v.checkAsync(async (a) => a === 'x', 'No'),
        ),
      }),
    )
    const good = validate?.({ a: 'x' })
    expect(good).toBeInstanceOf(Promise)
    expect(await good).toEqual({ a: 'x' })
    await expect(validate?.({ a: 'y' })).rejects.toThrow(ValidationError)
    await expect(validate?.({ a: 'y' })).rejects.toMatchObject({ details: [{ path: 'a', message: 'No' }] })
  })

  it('knows the paths of any Standard Schema', () => {
    const path = ['a', { key: 0 }, { key: 'b' }, 1, Symbol('c')]
    const schema: AnySchema = {
      '~standard': {
        version: 1,
        vendor: 'other',
        validate: () => ({ issues: [{ message: 'No', path }, { message: 'Nor' }] }),
      },
    }
    expect(() => compileValidate(schema)?.({})).toThrow(
      expect.objectContaining({
        details: [
          { path: 'a[0].b[1].Symbol(c)', message: 'No' },
          { path: '', message: 'Nor' },
        ],
      }),
    )
  })

  it('is null without a schema', () => {
    expect(compileValidate(null)).toBeNull()
  })
})
