import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import {
  BaseCommand,
  type Call,
  ConflictError,
  check,
  guard,
  interceptor,
  type Next,
  type Outcome,
  PermissionDeniedError,
  route,
} from '../index.ts'
import { until } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const pkgIds = { DO: 1 }
const input = v.object({ id: v.number(), tags: v.array(v.string()) })
const sent = { id: 1, tags: ['a'] }

describe('a check behind an interceptor', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('runs inside of it, before what is behind it, and sees what it adds', async () => {
      const log: string[] = []
      const transaction = interceptor({
        name: 'transaction',
        run: async (_call, next: Next<{ db: string }>) => {
          log.push('begin')
          const outcome = await next({ db: 'tx' })
          log.push('commit')
          return outcome
        },
      })
      const note = (name: string) => check({ name, run: () => void log.push(name) })
      const own = check({
        name: 'own',
        run: async ({ id }: { id: number }, { db }: Call & { db: string }) => {
          await Promise.resolve()
          log.push(`own ${db} ${id}`)
        },
      })
      class Do extends BaseCommand<{ id: number }, number> {
        execute({ id }: { id: number }): number {
          log.push('command')
          return id
        }
      }
      const { client, request } = await start({
        pkgIds,
        routes: {
          DO: route({
            http: 'POST /do',
            use: [guard({ name: 'g', run: () => void log.push('g') }), note('before'), transaction, own, note('after')],
            input,
            command: () => new Do(),
          }),
        },
      })
      const order = ['g', 'before', 'begin', 'own tx 1', 'after', 'command', 'commit']
      expect(await (await client()).call('DO', sent)).toBe(1)
      expect(log.splice(0)).toEqual(order)
      expect((await request('POST /do', { json: sent })).status).toBe(200)
      expect(log).toEqual(order)
    })

    it('refuses as a failure of what the interceptor wraps: effects are dropped, the handler does not run', async () => {
      const log: string[] = []
      const transaction = interceptor({
        name: 'transaction',
        holdsEffects: true,
        run: async (call, next: Next): Promise<Outcome> => {
          call.afterCommit(() => void log.push('effect'))
          try {
            return await next()
          } catch (error) {
            log.push('rollback')
            throw error
          }
        },
      })
      const refuse = check({
        name: 'refuse',
        run: async () => {
          throw new PermissionDeniedError()
        },
      })
      const refuseAtOnce = check({
        name: 'refuseAtOnce',
        run: ({ id }: { id: number }) => {
          if (id === 2) throw new PermissionDeniedError()
        },
      })
      const { client, request } = await start({
        pkgIds,
        routes: {
          DO: route({
            http: 'POST /do',
            use: [transaction, refuseAtOnce, refuse],
            input,
            handler: () => void log.push('handler'),
          }),
        },
      })
      const connection = await client()
      await expect(connection.call('DO', sent)).rejects.toMatchObject({ code: 'permission_denied' })
      await expect(connection.call('DO', { ...sent, id: 2 })).rejects.toMatchObject({ code: 'permission_denied' })
      expect((await request('POST /do', { json: sent })).status).toBe(403)
      expect(log).toEqual(['rollback', 'rollback', 'rollback'])
    })

    it('runs again with each attempt, on the input of that attempt', async () => {
      const seen: unknown[] = []
      const retried = interceptor({
        name: 'retried',
        mayRepeat: true,
        run: async (_call, next: Next<{ attempt: number }>): Promise<Outcome> => {
          for (let attempt = 1; ; attempt++) {
            try {
              return await next({ attempt })
            } catch (error) {
              if (attempt === 3) throw error
            }
          }
        },
      })
      const own = check({
        name: 'own',
        run: (given: { tags: string[] }, { attempt }: Call & { attempt: number }) => {
          seen.push([attempt, ...given.tags])
          given.tags.push('checked')
          if (attempt === 1) throw new ConflictError()
        },
      })
      const { client, request } = await start({
        pkgIds,
        routes: {
          DO: route({
            http: 'POST /do',
            use: [retried, own],
            input,
            handler: ({ tags }, { attempt }) => {
              if (attempt === 2) throw new ConflictError()
              return [attempt, ...tags]
            },
          }),
        },
      })
      const attempts = [1, 2, 3].map((attempt) => [attempt, 'a'])
      expect(await (await client()).call('DO', sent)).toEqual([3, 'a', 'checked'])
      expect(seen.splice(0)).toEqual(attempts)
      expect(await (await request('POST /do', { json: sent })).json()).toEqual([3, 'a', 'checked'])
      expect(seen).toEqual(attempts)
    })

    it('that passes after the deadline begins nothing more', async () => {
      const log: string[] = []
      let pass = (): void => {}
      const span = interceptor({
        name: 'span',
        run: async (_call, next: Next): Promise<Outcome> => {
          try {
            return await next()
          } finally {
            log.push('over')
          }
        },
      })
      const slow = check({
        name: 'slow',
        run: () =>
          new Promise<void>((resolve) => {
            pass = resolve
          }),
      })
      const { client } = await start({
        pkgIds,
        routes: { DO: route({ use: [span, slow], deadlineMs: 30, handler: () => void log.push('handler') }) },
      })
      await expect((await client()).call('DO')).rejects.toMatchObject({ code: 'deadline_exceeded' })
      pass()
      await until(() => log.length > 0)
      expect(log).toEqual(['over'])
    })
  })
})
