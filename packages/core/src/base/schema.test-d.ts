import { describe, expectTypeOf, test } from 'vitest'
import { event } from '../call/event.ts'
import { BaseCommand } from '../route/command.ts'
import { type Route, route } from '../route/route.ts'
import type { AnySchema, InputOf, OutputOf } from './schema.ts'

type Answer<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { message: string }[] }

/** As zod has it: a class of which the types are found in its own members too. */
declare class ClassSchema<Output, Input = Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: 'class-schema'
    readonly validate: (value: unknown) => Answer<Output> | Promise<Answer<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
  parse(value: unknown): Output
}

/** As arktype has it: a function with properties. */
interface CallableSchema<Output, Input = Output> {
  (value: unknown): Output | Error
  readonly '~standard': {
    readonly version: 1
    readonly vendor: 'callable-schema'
    readonly validate: (value: unknown) => Answer<Output>
    readonly types?: { readonly input: Input; readonly output: Output }
  }
}

declare const byClass: ClassSchema<{ id: number; at: Date }, { id: string; at: string }>
declare const byCall: CallableSchema<{ name: string }>

describe('schemas of any vendor', () => {
  test('are schemas', () => {
    expectTypeOf(byClass).toExtend<AnySchema>()
    expectTypeOf(byCall).toExtend<AnySchema>()
    expectTypeOf<InputOf<typeof byClass>>().toEqualTypeOf<{ id: string; at: string }>()
    expectTypeOf<OutputOf<typeof byClass>>().toEqualTypeOf<{ id: number; at: Date }>()
    expectTypeOf<InputOf<typeof byCall>>().toEqualTypeOf<{ name: string }>()
  })

  test('type a route', () => {
    const made = route({
      http: 'PUT /:id',
      input: byClass,
      output: byCall,
      handler: (input) => {
        expectTypeOf(input).toEqualTypeOf<{ id: number; at: Date }>()
        return { name: input.at.toISOString() }
      },
    })
    expectTypeOf(made).toEqualTypeOf<Route<{ id: string; at: string }, { name: string }>>()
    // @ts-expect-error no key 'name'
    route({ http: 'PUT /:name', input: byClass, handler: () => {} })
    // @ts-expect-error the output wants a name
    route({ output: byCall, handler: () => ({ title: '' }) })
  })

  test('type a command and an event', () => {
    class Rename extends BaseCommand<{ id: number }, { name: string }> {
      execute(): { name: string } {
        return { name: '' }
      }
    }
    route({ input: byClass, output: byCall, command: () => new Rename() })
    // @ts-expect-error a name is not an id
    route({ input: byCall, output: byCall, command: () => new Rename() })
    expectTypeOf(event({ data: byClass })['~event']!.data).toEqualTypeOf<{ id: number; at: Date }>()
  })
})
