import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { BaseCommand, createApp, type ItemStream, type Route, reply, route, stream, unchecked } from '../index.ts'
import type { TestClient } from '../testing.ts'

const Item = v.object({ at: v.date(), n: v.number() })
type Item = { at: Date; n: number }
declare const items: AsyncIterable<Item>

class ItemsCommand extends BaseCommand<{ to: number }, AsyncIterable<Item>> {
  execute(): AsyncIterable<Item> {
    return items
  }
}

describe('a route with output: stream(…)', () => {
  test('sends items, and is a route of both wires', () => {
    const made = route({ output: stream(Item), handler: () => items })
    expectTypeOf(made).toEqualTypeOf<Route<undefined, ItemStream<Item>>>()
    expectTypeOf(route({ output: unchecked(stream(Item)), handler: () => items })).toEqualTypeOf<typeof made>()
  })

  test('takes any iterable object, from handlers and commands', () => {
    route({ output: stream(Item), handler: async () => items })
    route({ output: stream(Item), handler: () => [{ at: new Date(), n: 1 }] })
    route({ output: stream(Item), handler: () => new Set<Item>() })
    route({ output: stream(Item), handler: () => ReadableStream.from(items) })
    route({ output: stream(Item), handler: () => reply(items, { status: 202 }) })
    route({ input: v.object({ to: v.number() }), output: stream(Item), command: () => new ItemsCommand() })
    route({
      output: stream(v.picklist(['a', 'b'])),
      async *handler(_input, call) {
        expectTypeOf(call.wire).toEqualTypeOf<'ws' | 'http'>()
        yield 'a' as const
      },
    })
  })

  test('takes nothing else', () => {
    // @ts-expect-error an item is not a stream of items
    route({ output: stream(Item), handler: () => ({ at: new Date(), n: 1 }) })
    // @ts-expect-error a string is iterable, and would be sent by characters
    route({ output: stream(v.string()), handler: () => 'text' })
    // @ts-expect-error n is missing
    route({ output: stream(Item), handler: () => [{ at: new Date() }] })
    route({
      output: stream(Item),
      // @ts-expect-error n is missing
      async *handler() {
        yield { at: new Date() }
      },
    })
    // @ts-expect-error a command of one item
    route({ input: v.object({ to: v.number() }), output: stream(v.string()), command: () => new ItemsCommand() })
  })

  test('is read by stream() of a client', () => {
    createApp({
      pkgIds: { ITEMS: 1, ONE: 2 },
      routes: {
        ITEMS: route({ input: v.object({ to: v.number() }), output: stream(Item), command: () => new ItemsCommand() }),
        ONE: route({ output: Item, handler: () => ({ at: new Date(), n: 1 }) }),
      },
    })
    const use = async (
      client: TestClient<
        { ITEMS: Route<{ to: number }, ItemStream<Item>>; ONE: Route<undefined, Item> },
        Record<never, never>
      >,
    ) => {
      for await (const item of client.stream('ITEMS', { to: 3 }))
        expectTypeOf(item).toEqualTypeOf<{ at: string; n: number }>()
      expectTypeOf(client.call('ITEMS', { to: 3 })).toEqualTypeOf<Promise<never>>()
      for await (const item of client.stream('ONE')) expectTypeOf(item).toBeNever()
      // @ts-expect-error to is missing
      client.stream('ITEMS', {})
    }
    expectTypeOf(use).toBeFunction()
  })
})
