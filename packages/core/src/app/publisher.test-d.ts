import * as v from 'valibot'
import { expectTypeOf, it } from 'vitest'
import { event } from '../call/event.ts'
import { brokerOf } from '../hub/broker.fixtures.ts'
import { createPublisher } from './publisher.ts'

const sold = event({ data: v.object({ id: v.number() }) })
const named = event({ data: v.object({ name: v.string() }) })
const broker = brokerOf({})

it('publishes the events of its table, with their data', () => {
  const publisher = createPublisher({ broker, pkgIds: { GET: 1, SOLD: 2 }, events: { SOLD: sold } })
  expectTypeOf(publisher.publish('ticket:1', sold, { id: 1 })).toEqualTypeOf<Promise<void>>()
  expectTypeOf(publisher.sendTo('7', sold, { id: 1 })).toEqualTypeOf<Promise<void>>()
  // @ts-expect-error the id is a number
  void publisher.broadcast(sold, { id: '1' })
  // @ts-expect-error not an event of the table
  void publisher.broadcast(named, { name: 'x' })
})

it('requires a PkgID of each event', () => {
  createPublisher({
    broker,
    pkgIds: { SOLD: 2 },
    // @ts-expect-error NAMED is not declared in pkgIds
    events: { SOLD: sold, NAMED: named },
  })
})
