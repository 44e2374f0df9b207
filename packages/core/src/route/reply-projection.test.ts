import fc from 'fast-check'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { compileProjection, compileReplyProjection } from './output.ts'

const Author = v.object({ id: v.number(), name: v.string(), born: v.optional(v.date()) })
const project = compileReplyProjection(Author)
const copy = compileProjection(Author)

class Row {
  id = 1
  name = 'Ursula'
}
class WithJson extends Row {
  secret = 's'
  toJSON(): unknown {
    return { ...this }
  }
}

describe('compileReplyProjection', () => {
  it('does not copy an object with exactly the keys of the schema, except for a caller that keeps it', () => {
    const value = { id: 1, name: 'Ursula', born: new Date(0) }
    expect(project?.(value)).toBe(value)
    expect(copy?.(value)).not.toBe(value)
  })

  it.each<[string, object]>([
    ['one key more', { id: 1, name: 'Ursula', born: undefined, secret: 's' }],
    ['one key more in front', { secret: 's', id: 1, name: 'Ursula', born: undefined }],
    ['one key less', { id: 1, name: 'Ursula' }],
    ['another order', { name: 'Ursula', id: 1, born: undefined }],
    ['a class', new Row()],
    ['a class with a toJSON', new WithJson()],
    ['inherited keys', Object.create({ id: 1, name: 'Ursula', born: undefined })],
    ['a toJSON', Object.assign(new WithJson(), { born: undefined })],
    [
      'a toJSON that does not show',
      hide({ id: 1, name: 'Ursula', born: undefined }, 'toJSON', () => ({ secret: 's' })),
    ],
  ])('copies an object with %s', (_, value) => {
    expect(project?.(value)).not.toBe(value)
    expect(project?.(value)).toEqual(copy?.(value))
  })

  it('copies where a value of it has another form', () => {
    const schema = v.object({ id: v.bigint() })
    expect(compileReplyProjection(schema)?.({ id: 1n })).toEqual({ id: '1' })
  })

  it('makes the same text as a copy, whatever comes', { timeout: 60_000 }, () => {
    const key = fc.constantFrom('id', 'name', 'born', 'secret', 'toJSON', 'constructor')
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.constant(undefined))
    fc.assert(
      fc.property(fc.array(fc.tuple(key, scalar)), (pairs) => {
        const value = Object.fromEntries(pairs)
        expect(JSON.stringify(project?.(value))).toBe(JSON.stringify(copy?.(value)))
      }),
      { numRuns: 1000 },
    )
  })
})

function hide(value: object, key: string, hidden: unknown): object {
  return Object.defineProperty(value, key, { value: hidden, enumerable: false })
}
