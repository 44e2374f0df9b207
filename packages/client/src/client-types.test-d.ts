import { createApp, event, route } from '@twinwire/core'
import * as v from 'valibot'
import { expectTypeOf, test } from 'vitest'
import type { SubscribeOptions } from './client-types.ts'

const app = createApp({
  pkgIds: { GET: 1, CREATED: 10, MOVED: 11 },
  routes: { GET: route({ handler: () => 1 }) },
  events: { CREATED: event({ data: v.object({ text: v.string() }) }), MOVED: event({ data: v.number() }) },
})

test('the name of an event of a topic tells its data, also where it is destructured', () => {
  const options: SubscribeOptions<typeof app> = {
    onEvent: ({ event, data }) => {
      expectTypeOf(event).toEqualTypeOf<'CREATED' | 'MOVED'>()
      if (event === 'CREATED') expectTypeOf(data.text).toBeString()
      else expectTypeOf(data).toBeNumber()
    },
  }
  expectTypeOf(options).toExtend<object>()
})
