import { expectTypeOf, it } from 'vitest'
import { type Call, check, createApp, defineTopics, guard, type Identity, interceptor, route, topic } from '../index.ts'

const tenant = () => guard({ name: 'tenant', run: () => ({ tenant: 'acme' }) })
const needsTenant = () =>
  guard({ name: 'needsTenant', run: (call: Call & { tenant: string }) => ({ level: call.tenant.length }) })
const takesTopic = () => guard({ name: 'taken', run: () => ({ topic: 1 }) })
const own = () => check({ name: 'own', run: () => {} })
const locked = () => interceptor({ name: 'locked', run: (_call, next) => next() })

it('authorize gets what the guards add, and the parameters of the pattern, without annotations', () => {
  defineTopics({
    'ticket:{id}': topic({
      use: [tenant(), needsTenant()],
      authorize: ({ identity, topic, params, tenant, level }) => {
        expectTypeOf(identity).toEqualTypeOf<Identity | null>()
        expectTypeOf(topic).toEqualTypeOf<string>()
        expectTypeOf(params).toEqualTypeOf<{ readonly id: string }>()
        expectTypeOf(tenant).toEqualTypeOf<string>()
        expectTypeOf(level).toEqualTypeOf<number>()
        return true
      },
    }),
    'team:{team}:chat:{chat}': topic({ authorize: ({ params }) => params.team === params.chat }),
    'author:*': topic({
      subscribe: true,
      authorize: ({ params }) => {
        expectTypeOf(params).toEqualTypeOf<{}>()
        return true
      },
    }),
    news: {
      subscribe: true,
      history: { size: 10, ttl: '10m' },
      authorize: (identity, topic) => topic === identity?.id,
    },
  })
})

it('in createApp too', () => {
  createApp({
    pkgIds: { A: 1 },
    routes: { A: route({ handler: () => 1 }) },
    topics: {
      'ticket:{id}': topic({
        use: [tenant()],
        authorize: ({ params, tenant }) => params.id === tenant,
      }),
      'team:{team}': topic({
        authorize: ({ params }) => {
          // @ts-expect-error: another parameter
          return params.id === ''
        },
      }),
      news: { authorize: (identity) => identity?.id === 'ann' },
    },
  })
})

it('outside of a table the parameters are not known', () => {
  const rule = topic({
    authorize: ({ params }) => expectTypeOf(params.id).toEqualTypeOf<string | undefined>() === undefined,
  })
  defineTopics({ 'ticket:{id}': rule, 'team:{team}': rule })
})

it('refuses guards that need an earlier one, checks and interceptors, and guards that add fields of the topic', () => {
  // @ts-expect-error: `tenant` is added by no earlier step
  topic({ use: [needsTenant()], authorize: () => true })
  // @ts-expect-error: a check
  topic({ use: [own()], authorize: () => true })
  // @ts-expect-error: an interceptor
  topic({ use: [tenant(), locked()], authorize: () => true })
  // @ts-expect-error: `topic` is another type
  topic({ use: [takesTopic()], authorize: () => true })
  // @ts-expect-error: no rule
  topic({ subscribe: true })
  // @ts-expect-error: not a time
  topic({ history: { ttl: 'soon' }, authorize: () => true })
  // @ts-expect-error: not a boolean
  topic({ authorize: () => 'yes' })
})
