import { describe, expectTypeOf, test } from 'vitest'
import type { Page } from '../call/reply.ts'
import type { PageMeta } from '../protocol/frame.ts'
import type { Jsonified } from './jsonified.ts'

describe('Jsonified', () => {
  test('does not change types that JSON has', () => {
    expectTypeOf<Jsonified<string>>().toEqualTypeOf<string>()
    expectTypeOf<Jsonified<'a' | 1 | true | null>>().toEqualTypeOf<'a' | 1 | true | null>()
    expectTypeOf<Jsonified<boolean>>().toEqualTypeOf<boolean>()
    type Branded = string & { readonly __brand: 'id' }
    expectTypeOf<Jsonified<Branded>>().toEqualTypeOf<Branded>()
    interface Plain {
      readonly id: number
      name: string
      tags: readonly string[]
    }
    expectTypeOf<Jsonified<Plain>>().toEqualTypeOf<{ readonly id: number; name: string; tags: readonly string[] }>()
  })

  test('dates, big integers and bytes are strings', () => {
    expectTypeOf<Jsonified<Date>>().toEqualTypeOf<string>()
    expectTypeOf<Jsonified<bigint>>().toEqualTypeOf<string>()
    expectTypeOf<Jsonified<Uint8Array>>().toEqualTypeOf<string>()
    expectTypeOf<Jsonified<Buffer>>().toEqualTypeOf<string>()
    expectTypeOf<Jsonified<Date | null>>().toEqualTypeOf<string | null>()
    expectTypeOf<Jsonified<{ at: Date | number }>>().toEqualTypeOf<{ at: string | number }>()
  })

  test('at any depth', () => {
    interface Nested {
      a: { b: { at: Date }[] }
      byName: Record<string, { at: Date }>
    }
    expectTypeOf<Jsonified<Nested>>().toEqualTypeOf<{
      a: { b: { at: string }[] }
      byName: { [name: string]: { at: string } }
    }>()
    interface Tree {
      at: Date
      children: Tree[]
    }
    expectTypeOf<Jsonified<Tree>['children'][number]['children'][number]['at']>().toEqualTypeOf<string>()
  })

  test('unions one by one', () => {
    type Shape = { kind: 'a'; at: Date } | { kind: 'b'; size: bigint }
    expectTypeOf<Jsonified<Shape>>().toEqualTypeOf<{ kind: 'a'; at: string } | { kind: 'b'; size: string }>()
  })

  test('what may be undefined may be missing', () => {
    expectTypeOf<Jsonified<{ a?: Date }>>().toEqualTypeOf<{ a?: string }>()
    expectTypeOf<Jsonified<{ a: Date | undefined; b: number }>>().toEqualTypeOf<{ a?: string; b: number }>()
    expectTypeOf<Jsonified<{ a?: Date | undefined; readonly b?: null }>>().toEqualTypeOf<{
      a?: string
      readonly b?: null
    }>()
    expectTypeOf<Jsonified<{ a: undefined; b: number }>>().toEqualTypeOf<{ b: number }>()
  })

  test('nothing is null', () => {
    expectTypeOf<Jsonified<undefined>>().toEqualTypeOf<null>()
    expectTypeOf<Jsonified<void>>().toEqualTypeOf<null>()
    expectTypeOf<Jsonified<Date | undefined>>().toEqualTypeOf<string | null>()
    expectTypeOf<Jsonified<(Date | undefined)[]>>().toEqualTypeOf<(string | null)[]>()
  })

  test('arrays and tuples keep their shape', () => {
    expectTypeOf<Jsonified<Date[]>>().toEqualTypeOf<string[]>()
    expectTypeOf<Jsonified<readonly Date[]>>().toEqualTypeOf<readonly string[]>()
    expectTypeOf<Jsonified<[Date, number, ...bigint[]]>>().toEqualTypeOf<[string, number, ...string[]]>()
    expectTypeOf<Jsonified<readonly [at: Date, also?: Date]>>().toEqualTypeOf<
      readonly [at: string, also?: string | null]
    >()
    expectTypeOf<Jsonified<[]>>().toEqualTypeOf<[]>()
  })

  test('of what is not known, nothing is known', () => {
    expectTypeOf<Jsonified<unknown>>().toEqualTypeOf<unknown>()
    // biome-ignore lint/suspicious/noExplicitAny: that it does not spread is what is tested
    expectTypeOf<Jsonified<any>>().toEqualTypeOf<unknown>()
    // biome-ignore lint/suspicious/noExplicitAny: that it does not spread is what is tested
    expectTypeOf<Jsonified<{ a: any; b?: unknown; c: unknown }>>().toEqualTypeOf<{
      a: unknown
      b?: unknown
      c: unknown
    }>()
    expectTypeOf<Jsonified<Record<string, unknown>>>().toEqualTypeOf<{ [key: string]: unknown }>()
    expectTypeOf<Jsonified<never>>().toEqualTypeOf<never>()
  })

  test('an object says itself what it is', () => {
    class Money {
      readonly #cents: bigint = 0n
      toJSON(): { cents: bigint; at: Date } {
        return { cents: this.#cents, at: new Date() }
      }
    }
    expectTypeOf<Jsonified<{ price: Money }>>().toEqualTypeOf<{ price: { cents: string; at: string } }>()
    expectTypeOf<Jsonified<{ toJSON(key: string): number }>>().toEqualTypeOf<number>()
  })

  test('what has no JSON form is never, and is in no object', () => {
    expectTypeOf<Jsonified<() => void>>().toEqualTypeOf<never>()
    expectTypeOf<Jsonified<symbol>>().toEqualTypeOf<never>()
    expectTypeOf<Jsonified<Map<string, number>>>().toEqualTypeOf<never>()
    expectTypeOf<Jsonified<ReadonlySet<string>>>().toEqualTypeOf<never>()
    const mark: unique symbol = Symbol('mark')
    interface Mixed {
      a: number
      method(): void
      [mark]: string
      set: Set<string>
    }
    expectTypeOf<Jsonified<Mixed>>().toEqualTypeOf<{ a: number }>()
  })

  test('a page', () => {
    expectTypeOf<Jsonified<Page<{ at: Date }>>>().toEqualTypeOf<{
      readonly items: readonly { at: string }[]
      readonly meta: Jsonified<PageMeta>
    }>()
    expectTypeOf<Jsonified<PageMeta>>().toExtend<PageMeta>()
  })
})
