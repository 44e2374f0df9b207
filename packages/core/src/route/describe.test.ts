import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { createApp } from '../app/app.ts'
import { pluginKey } from '../base/plugin-key.ts'
import { event } from '../call/event.ts'
import { stream } from '../call/item-stream.ts'
import { defineErrors } from '../errors/define-errors.ts'
import { definePlugin } from '../plugin/plugin.ts'
import { group } from './group.ts'
import { route } from './route.ts'
import { check, guard, interceptor } from './step.ts'

const limit = guard({ name: 'limit(10/m)', run: () => {} })
const own = check({ name: 'own', demands: { shares: ['owner'] }, run: () => {} })
const transaction = interceptor({ name: 'transaction', run: (_call, next) => next() })
const audit = guard({ name: 'audit', run: () => {} })
const { declined } = defineErrors('billing', { declined: { httpStatus: 402, message: 'Declined' } })

const pay = route({
  summary: 'Pay a bill',
  http: 'POST /bills/:id',
  use: [limit, own, transaction],
  input: v.object({ id: v.number() }),
  errors: [declined],
  handler: () => 1,
})
const ping = route({ access: 'public', output: stream(v.number()), handler: () => [1] })
const paid = event({ summary: 'A bill was paid', data: v.object({}) })

async function describeIt() {
  const app = createApp({
    environment: 'test',
    log: 'fatal',
    pkgIds: { PAY: 1, PING: 20, PAID: 100 },
    routes: { ...group({ prefix: '/v1', use: [guard({ name: 'tenant', run: () => {} })] }, { PAY: pay }), PING: ping },
    events: { PAID: paid },
    plugins: [
      definePlugin(pluginKey('audit').of<void>(), {
        setup: (host) => host.guard(audit, { when: ({ name }) => name === 'PAY' }),
      }),
    ],
  })
  await app.ready()
  const description = app.describe()
  await app.close()
  return description
}

describe('app.describe', () => {
  it('has every route with its wires, access and steps in the order in which they run', async () => {
    const { routes, events } = await describeIt()
    expect(routes.slice(0, 2)).toEqual([
      {
        name: 'PAY',
        pkgId: 1,
        http: 'POST /v1/bills/:id',
        access: 'public',
        reply: 'value',
        steps: [
          { kind: 'guard', name: 'audit', demands: {}, limits: [] },
          { kind: 'guard', name: 'tenant', demands: {}, limits: [] },
          { kind: 'guard', name: 'limit(10/m)', demands: {}, limits: [] },
          { kind: 'check', name: 'own', demands: { shares: ['owner'] }, limits: [] },
          { kind: 'interceptor', name: 'transaction', demands: {}, limits: [] },
        ],
        errors: ['billing.declined'],
        summary: 'Pay a bill',
        deprecated: false,
        deadlineMs: 30_000,
        ordered: false,
        once: null,
      },
      {
        name: 'PING',
        pkgId: 20,
        http: null,
        access: 'public',
        reply: 'stream',
        steps: [],
        errors: [],
        summary: '',
        deprecated: false,
        deadlineMs: 30_000,
        ordered: false,
        once: null,
      },
    ])
    expect(routes.map(({ http }) => http)).toContain('GET /health')
    expect(events).toEqual([{ name: 'PAID', pkgId: 100, summary: 'A bill was paid' }])
  })

  it('is a table as text', async () => {
    const lines = String(await describeIt()).split('\n')
    expect(lines[0]).toMatch(/^pkg_id {2}name +http +access +steps +summary$/)
    expect(lines[1]).toMatch(
      /^1 +PAY +POST \/v1\/bills\/:id +public +audit, tenant, limit\(10\/m\), own, transaction +Pay a bill$/,
    )
    expect(lines[2]).toMatch(/^20 +PING +- +public, stream +-$/)
    expect(lines.at(-1)).toMatch(/^100 +PAID +- +event +- +A bill was paid$/)
    const column = lines[0]?.indexOf('http') ?? -1
    expect(lines.slice(1).every((line) => line[column - 1] === ' ' && line[column] !== ' ')).toBe(true)
  })
})
