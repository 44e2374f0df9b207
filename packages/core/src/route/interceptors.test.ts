import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Call, ConflictError, event, interceptor, type Next, type Outcome, route } from '../index.ts'
import { onTransports } from '../testing.ts'
import { copyPlain } from './interceptors.ts'

/** Runs what it wraps until it succeeds, at most three times. */
const persistent = (holdsEffects = true) =>
  interceptor({
    name: 'persistent',
    holdsEffects,
    mayRepeat: true,
    run: async (_call: Call, next: Next<{ attempt: number }>): Promise<Outcome> => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await next({ attempt })
        } catch (error) {
          if (attempt === 3) throw error
        }
      }
    },
  })

const changed = event({ data: v.object({ attempt: v.number() }) })

describe('an interceptor that may repeat', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const boot = (holdsEffects: boolean, log: unknown[], failures: number) =>
      start({
        pkgIds: { DO: 1, CHANGED: 2 },
        events: { CHANGED: changed },
        routes: {
          DO: route({
            http: 'POST /do',
            use: [persistent(holdsEffects)],
            input: v.object({ list: v.array(v.number()) }),
            handler: async ({ list }, call) => {
              const { attempt } = call
              list.push(attempt)
              call.replyHeaders.append('x-attempt', String(attempt))
              call.afterCommit(() => void log.push(`effect of ${attempt}`))
              call.broadcast(changed, { attempt })
              await Promise.resolve()
              if (attempt <= failures) throw new ConflictError('again')
              return list
            },
          }),
        },
      })

    it('begins each attempt as the first one: input, headers, effects and publications', async () => {
      const log: unknown[] = []
      const { client, request } = await boot(true, log, 2)
      const one = await client()
      expect(await one.call('DO', { list: [0] })).toEqual([0, 3])
      expect(await one.nextEvent('CHANGED')).toEqual({ attempt: 3 })
      const response = await request('POST /do', { json: { list: [0] } })
      expect([response.json(), response.headers['x-attempt']]).toEqual([[0, 3], '3'])
      expect(await one.nextEvent('CHANGED')).toEqual({ attempt: 3 })
      expect(log).toEqual(['effect of 3', 'effect of 3'])
    })

    it('answers with the failure of its last attempt, and nothing of the others has happened', async () => {
      const log: unknown[] = []
      const { client, request } = await boot(true, log, 3)
      await expect((await client()).call('DO', { list: [] })).rejects.toMatchObject({ code: 'conflict' })
      const response = await request('POST /do', { json: { list: [] } })
      expect([response.status, response.headers['x-attempt']]).toEqual([409, '3'])
      expect(log).toEqual([])
    })

    it('drops effects of a failed attempt also when it holds nothing', async () => {
      const log: unknown[] = []
      const { client } = await boot(false, log, 1)
      await (await client()).call('DO', { list: [] })
      expect(log).toEqual(['effect of 2'])
    })

    it('may repeat when its own end has failed, as a commit does; what left the attempt before is dropped', async () => {
      const log: string[] = []
      const committing = interceptor({
        name: 'committing',
        holdsEffects: true,
        mayRepeat: true,
        run: async (_call, next: Next): Promise<Outcome> => {
          await next()
          log.push('commit fails')
          return next()
        },
      })
      const handler = (_input: unknown, call: Call) => {
        call.afterCommit(() => void log.push('effect'))
        return 1
      }
      const { client } = await start({ pkgIds: { DO: 1 }, routes: { DO: route({ use: [committing], handler }) } })
      expect(await (await client()).call('DO')).toBe(1)
      expect(log).toEqual(['commit fails', 'effect'])
    })

    it('may not begin one attempt while another is under way', async () => {
      const hasty = interceptor({
        name: 'hasty',
        mayRepeat: true,
        run: async (_call, next: Next): Promise<Outcome> => {
          const [outcome] = await Promise.all([next(), next()])
          return outcome
        },
      })
      const handler = async (): Promise<number> => Promise.resolve(1)
      const { client } = await start({ pkgIds: { DO: 1 }, routes: { DO: route({ use: [hasty], handler }) } })
      await expect((await client()).call('DO')).rejects.toMatchObject({ code: 'internal_error' })
    })
  })
})

it('copies what is plain and keeps what is not', () => {
  class Money {}
  const input = {
    at: new Date(5),
    list: [{ deep: [1] }],
    money: new Money(),
    none: null,
    ...JSON.parse('{"__proto__": {"a": 1}}'),
  }
  const copy = copyPlain(input) as typeof input
  expect(copy).toEqual(input)
  expect(copy.at).not.toBe(input.at)
  expect(copy.list[0]?.deep).not.toBe(input.list[0]?.deep)
  expect(copy.money).toBe(input.money)
  expect(copyPlain(JSON.parse('{"__proto__": {"a": 1}}'))).toEqual(JSON.parse('{"__proto__": {"a": 1}}'))
  expect(copyPlain(Object.assign(Object.create(null), { a: 1 }))).toEqual(Object.assign(Object.create(null), { a: 1 }))
})
