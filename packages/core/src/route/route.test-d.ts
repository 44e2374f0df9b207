import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { Call } from '../call/call.ts'
import { type Page, page, pageOf, type Reply, reply } from '../call/reply.ts'
import { defineErrors } from '../errors/define-errors.ts'
import { BaseCommand } from './command.ts'
import { unchecked } from './output.ts'
import { type AnyRoute, type Route, route } from './route.ts'
import { guard } from './step.ts'

const NameInput = v.object({ name: v.string(), age: v.optional(v.pipe(v.string(), v.transform(Number)), '7') })
const Author = v.object({ id: v.number(), name: v.string(), kind: v.picklist(['a', 'b']) })
type Name = { name: string; age: number }
type Author = { id: number; name: string; kind: 'a' | 'b' }
declare const author: Author
declare const isFound: boolean

describe('input', () => {
  test('of the handler is what validation gives; of a caller, what it takes', () => {
    const made = route({
      input: NameInput,
      handler: (input, call) => {
        expectTypeOf(input).not.toBeAny()
        expectTypeOf(input).toEqualTypeOf<Name>()
        expectTypeOf(call).toEqualTypeOf<Call>()
        return input.age
      },
    })
    expectTypeOf(made).toEqualTypeOf<Route<{ name: string; age?: string | undefined }, number>>()
  })

  test('that is not declared is undefined', () => {
    const made = route({ handler: (input) => [input] })
    expectTypeOf(made).toEqualTypeOf<Route<undefined, undefined[]>>()
    // @ts-expect-error nothing was declared to read
    route({ handler: ({ name }: { name: string }) => name })
    // @ts-expect-error the input has no such key
    route({ input: NameInput, handler: ({ nam }) => nam })
    // @ts-expect-error an annotation that the schema does not give
    route({ input: NameInput, handler: (input: { name: number }) => input })
    route({ input: NameInput, handler: (input: { name: string }) => input })
  })
})

describe('output without a schema', () => {
  test('is what the handler returns', () => {
    expectTypeOf(route({ handler: () => ({ at: new Date(), n: 1 }) })).toEqualTypeOf<
      Route<undefined, { at: Date; n: number }>
    >()
    expectTypeOf(route({ handler: async () => author })).toEqualTypeOf<Route<undefined, Author>>()
    expectTypeOf(route({ handler: () => (isFound ? author : Promise.resolve(author)) })).toEqualTypeOf<
      Route<undefined, Author>
    >()
    expectTypeOf(route({ handler: () => {} })).toEqualTypeOf<Route<undefined, void>>()
    expectTypeOf(route({ handler: async () => (isFound ? author : null) })).toEqualTypeOf<
      Route<undefined, Author | null>
    >()
  })

  test('is what a reply carries', () => {
    expectTypeOf(route({ handler: () => reply(author, { status: 201 }) })).toEqualTypeOf<Route<undefined, Author>>()
    expectTypeOf(route({ handler: async () => (isFound ? author : reply(null, { status: 404 })) })).toEqualTypeOf<
      Route<undefined, Author | null>
    >()
    expectTypeOf(route({ handler: () => reply.text('') })).toEqualTypeOf<Route<undefined, string>>()
    expectTypeOf(route({ handler: () => reply.bytes(new Uint8Array()) })).toEqualTypeOf<Route<undefined, Uint8Array>>()
  })

  test('is a page', () => {
    const made = route({ handler: () => page([author], { page: 1, per_page: 1, total: 1 }) })
    expectTypeOf(made).toEqualTypeOf<Route<undefined, Page<Author>>>()
  })

  test('is what the command makes, now or later', () => {
    class Now extends BaseCommand<Name, Author> {
      execute(): Author {
        return author
      }
    }
    class Later extends BaseCommand<Name, Author> {
      async execute(): Promise<Author> {
        return author
      }
    }
    type Made = Route<{ name: string; age?: string | undefined }, Author>
    expectTypeOf(route({ input: NameInput, command: () => new Now() })).toEqualTypeOf<Made>()
    expectTypeOf(route({ input: NameInput, command: () => new Later() })).toEqualTypeOf<Made>()
  })
})

describe('output with a schema', () => {
  test('is the schema’s, whatever more the handler returns', () => {
    const made = route({ output: Author, handler: () => ({ ...author, passwordHash: '' }) })
    expectTypeOf(made).toEqualTypeOf<Route<undefined, Author>>()
    expectTypeOf(route({ output: Author, handler: async () => author })).toEqualTypeOf<Route<undefined, Author>>()
    // The compiler looks at a handler before it knows the schema: a literal in place needs `as const`, a typed value nothing.
    route({ output: Author, handler: () => ({ id: 1, name: '', kind: 'a' as const }) })
    route({
      output: Author,
      handler: (_input, call) => ({ id: 1, name: call.id, kind: isFound ? author.kind : ('b' as const) }),
    })
    expectTypeOf(
      route({ output: Author, handler: () => reply({ id: 1, name: '', kind: 'b' as const }) }),
    ).toEqualTypeOf<Route<undefined, Author>>()
    expectTypeOf(route({ output: Author, handler: async () => (isFound ? author : reply(author)) })).toEqualTypeOf<
      Route<undefined, Author>
    >()
    expectTypeOf(route({ output: unchecked(Author), handler: () => author })).toEqualTypeOf<Route<undefined, Author>>()
  })

  test('has to be returned', () => {
    // @ts-expect-error the id is a number
    route({ output: Author, handler: () => ({ id: '1', name: '', kind: 'a' }) })
    // @ts-expect-error the same, asynchronous
    route({ output: Author, handler: async () => ({ id: '1', name: '', kind: 'a' }) })
    // @ts-expect-error the same in a reply
    route({ output: Author, handler: () => reply({ id: '1', name: '', kind: 'a' }) })
    // @ts-expect-error no such kind
    route({ output: Author, handler: () => ({ id: 1, name: '', kind: 'c' }) })
    // @ts-expect-error nothing is returned
    route({ output: Author, handler: () => {} })
    // @ts-expect-error null on one path
    route({ output: Author, handler: async () => (isFound ? author : null) })
    // @ts-expect-error a string is not an author
    route({ output: Author, handler: () => reply.text('') })
    // @ts-expect-error unchecked does not mean untyped
    route({ output: unchecked(Author), handler: () => ({ id: '1' }) })
  })

  test('transforms what is returned into what is sent', () => {
    const Stamp = v.pipe(
      v.date(),
      v.transform((at) => at.toISOString()),
    )
    expectTypeOf(route({ output: Stamp, handler: () => new Date() })).toEqualTypeOf<Route<undefined, string>>()
    // @ts-expect-error the schema takes a Date
    route({ output: Stamp, handler: () => '2026-01-01' })
  })

  test('is a page of items', () => {
    const made = route({ output: pageOf(Author), handler: () => page([author], { page: 1, per_page: 1, total: 1 }) })
    expectTypeOf(made).toEqualTypeOf<Route<undefined, Page<Author>>>()
    route({
      output: pageOf(Author),
      handler: async () => page([{ ...author, more: 1 }], { page: 1, per_page: 1, total: 1 }),
    })
    // @ts-expect-error items of another type
    route({ output: pageOf(Author), handler: () => page([{ id: 1 }], { page: 1, per_page: 1, total: 1 }) })
    // @ts-expect-error a list is not a page
    route({ output: pageOf(Author), handler: () => [author] })
    const { items, meta } = page([author], { page: 1, per_page: 1, total: 1 })
    // @ts-expect-error what `page` did not make would be refused when it runs
    route({ output: pageOf(Author), handler: () => ({ items, meta }) })
  })
})

describe('command', () => {
  class CreateAuthor extends BaseCommand<Name, Author> {
    async execute(_input: Name): Promise<Author> {
      return author
    }
  }

  test('fits both schemas', () => {
    expectTypeOf(route({ input: NameInput, output: Author, command: () => new CreateAuthor() })).toExtend<
      Route<unknown, Author>
    >()
    class Wider extends BaseCommand<{ name: string }, Author & { secret: string }> {
      execute(): Author & { secret: string } {
        return { ...author, secret: '' }
      }
    }
    route({ input: NameInput, output: Author, command: () => new Wider() })
  })

  test('that requires another input is an error', () => {
    // @ts-expect-error the schema gives no age
    route({ input: v.object({ name: v.string() }), output: Author, command: () => new CreateAuthor() })
    // @ts-expect-error before validation it is a string
    route({ input: v.object({ name: v.string(), age: v.string() }), command: () => new CreateAuthor() })
    // @ts-expect-error there is no input
    route({ command: () => new CreateAuthor() })
  })

  test('that returns another output is an error', () => {
    // @ts-expect-error the schema wants a title
    route({ input: NameInput, output: v.object({ title: v.string() }), command: () => new CreateAuthor() })
    // @ts-expect-error an author is not a page
    route({ input: NameInput, output: pageOf(Author), command: () => new CreateAuthor() })
  })

  test('sees the call, typed', () => {
    route({
      use: [guard({ name: 'a', run: () => ({ db: 1 }) })],
      input: NameInput,
      command: (call) => {
        expectTypeOf(call.db).toEqualTypeOf<number>()
        expectTypeOf(call.wire).toEqualTypeOf<'ws' | 'http'>()
        return new CreateAuthor()
      },
    })
  })

  test('or handler, one of them', () => {
    // @ts-expect-error both
    route({ input: NameInput, command: () => new CreateAuthor(), handler: () => author })
    // @ts-expect-error neither
    route({ input: NameInput })
    // @ts-expect-error what `command` returns is a command
    route({ input: NameInput, command: () => author })
  })
})

describe('route', () => {
  test('has no option that it does not know', () => {
    // @ts-expect-error a mistyped option
    route({ sumary: '', handler: () => {} })
    // @ts-expect-error no such access
    route({ access: 'private', handler: () => {} })
    // @ts-expect-error no schema
    route({ input: { name: 'string' }, handler: () => {} })
    // @ts-expect-error no schema
    route({ output: { name: 'string' }, handler: () => ({ name: '' }) })
  })

  test('declares its errors', () => {
    const billing = defineErrors('billing', { declined: { httpStatus: 402, message: 'Declined' } })
    route({ errors: [billing.declined], handler: () => {} })
    // @ts-expect-error made by defineErrors, not by hand
    route({ errors: ['billing.declined'], handler: () => {} })
  })

  test('of any type is a route', () => {
    expectTypeOf<Route<{ a: 1 }, { b: 2 }>>().toExtend<AnyRoute>()
    // @ts-expect-error no route is made by hand
    const made: AnyRoute = { kind: 'route' }
    void made
  })
})

test('Reply is typed by its value', () => {
  expectTypeOf(reply(1)).toEqualTypeOf<Reply<number>>()
  expectTypeOf(reply.text('')).toEqualTypeOf<Reply<string>>()
})
