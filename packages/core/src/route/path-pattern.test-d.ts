import { expectTypeOf, test } from 'vitest'
import type { PathParameters } from './path-pattern.ts'

test('PathParameters has the names of a literal pattern', () => {
  expectTypeOf<PathParameters<'/authors/:id/books/:bookId'>>().toEqualTypeOf<'id' | 'bookId'>()
  expectTypeOf<PathParameters<'/authors/:id'>>().toEqualTypeOf<'id'>()
  expectTypeOf<PathParameters<'/:id/'>>().toEqualTypeOf<'id'>()
  expectTypeOf<PathParameters<'/authors'>>().toEqualTypeOf<never>()
  expectTypeOf<PathParameters<'/'>>().toEqualTypeOf<never>()
})

test('of a pattern that is known at run time only, any name may be', () => {
  expectTypeOf<PathParameters<string>>().toEqualTypeOf<string>()
})
