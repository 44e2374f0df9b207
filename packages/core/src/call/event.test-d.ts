import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import type { Hub } from '../hub/hub.ts'
import type { Call } from './call.ts'
import { type AnyEvent, type EventData, type EventDefinition, event } from './event.ts'

const created = event({ data: v.object({ id: v.number(), at: v.date() }) })
const stamped = event({
  data: v.object({
    at: v.pipe(
      v.date(),
      v.transform((at) => at.getTime()),
    ),
  }),
})
declare const call: Call
declare const hub: Hub

describe('event', () => {
  test('has the type of what is sent, and of what it becomes', () => {
    expectTypeOf(created).toEqualTypeOf<EventDefinition<{ id: number; at: Date }, { id: number; at: Date }>>()
    expectTypeOf(stamped).toEqualTypeOf<EventDefinition<{ at: number }, { at: Date }>>()
    expectTypeOf<EventData<typeof stamped>>().toEqualTypeOf<{ at: Date }>()
    expectTypeOf(created).toExtend<AnyEvent>()
    // @ts-expect-error an event has data
    event({})
    // @ts-expect-error no schema
    event({ data: { id: 'number' } })
  })

  test('is published with its data', () => {
    const author = { id: 1, at: new Date() }
    call.publish('authors', created, author)
    const more = { ...author, more: 1 }
    call.broadcast(created, more)
    void hub.sendTo('user', stamped, { at: new Date() })
    // @ts-expect-error the id is a number
    call.publish('authors', created, { id: '1', at: new Date() })
    // @ts-expect-error the date is missing
    call.broadcast(created, { id: 1 })
    // @ts-expect-error what is handed over is what the schema takes, not what it makes
    void hub.sendTo('user', stamped, { at: 1 })
    // @ts-expect-error a name is not an event
    void hub.broadcast('created', author)
    // @ts-expect-error data belongs to it
    call.broadcast(created)
  })

  test('of which nothing is known takes nothing', () => {
    expectTypeOf<EventData<AnyEvent>>().toEqualTypeOf<never>()
  })
})
