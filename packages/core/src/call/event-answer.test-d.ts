import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import { type CallConnection, type Connection, event, route } from '../index.ts'

const confirm = event({ data: v.object({ at: v.date() }), answer: v.pipe(v.string(), v.transform(Number)) })
const plain = event({ data: v.string() })
declare const connection: Connection
declare const ofCall: CallConnection

test('ask takes the data of the event, and resolves with the output of its answer schema', () => {
  expectTypeOf(connection.ask(confirm, { at: new Date() })).toEqualTypeOf<Promise<number>>()
  expectTypeOf(ofCall.ask(confirm, { at: new Date() }, { timeoutMs: 5 })).toEqualTypeOf<Promise<number>>()
  // @ts-expect-error at is a Date
  void connection.ask(confirm, { at: 'now' })
  // @ts-expect-error the event has no answer
  void connection.ask(plain, 'text')
  // @ts-expect-error nothing else is an option
  void connection.ask(confirm, { at: new Date() }, { timeout: 5 })
  route({
    output: v.nullable(v.number()),
    handler: async (_input, call) => (await call.connection?.ask(confirm, { at: new Date() })) ?? null,
  })
})

test('an event with an answer is still an event', () => {
  expectTypeOf(connection.ask).toBeFunction()
  const events = { CONFIRM: confirm, PLAIN: plain }
  expectTypeOf(events.CONFIRM.answer).not.toBeNullable()
})
