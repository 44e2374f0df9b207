import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import {
  BaseCommand,
  type Call,
  check,
  guard,
  interceptor,
  type Next,
  NotFoundError,
  type Outcome,
  route,
  unchecked,
} from '../index.ts'
import { plugin, until } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

/** Steps that write down when they run, at once or later. */
function steps(log: string[], wait: () => Promise<void> | void) {
  return {
    guard: (name: string) =>
      guard({
        name,
        run: async () => {
          await wait()
          log.push(name)
        },
      }),
    check: (name: string) =>
      check({
        name,
        run: () => {
          log.push(name)
          return wait()
        },
      }),
    interceptor: (name: string) =>
      interceptor({
        name,
        run: async (_call, next: Next) => {
          log.push(`${name} in`)
          const outcome = await next()
          log.push(`${name} out`)
          return outcome
        },
      }),
  }
}

const fails = (create: () => never) => route({ handler: create })

describe('steps', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('run in the order guards, input, checks, interceptors, handler, output; app-wide guards first', async () => {
      const log: string[] = []
      const step = steps(log, () => Promise.resolve())
      const note = (name: string) =>
        v.pipe(
          v.object({}),
          v.transform((value) => {
            log.push(name)
            return value
          }),
        )
      const { request, client } = await start({
        pkgIds: { DO: 1 },
        routes: {
          DO: route({
            http: 'POST /do',
            use: [
              step.guard('g1'),
              step.guard('g2'),
              step.check('c1'),
              step.check('c2'),
              step.interceptor('a1'),
              step.interceptor('a2'),
            ],
            input: note('input'),
            output: note('output'),
            handler: () => {
              log.push('handler')
              return {}
            },
          }),
        },
        plugins: [plugin((host) => host.guard(step.guard('app')))],
      })
      const order = ['app', 'g1', 'g2', 'input', 'c1', 'c2', 'a1 in', 'a2 in', 'handler', 'a2 out', 'a1 out', 'output']
      await (await client()).call('DO', {})
      expect(log.splice(0)).toEqual(order)
      await request('POST /do', { json: {} })
      expect(log).toEqual(order)
    })

    it('add to the call for later steps and the handler; what an interceptor adds holds inside it only', async () => {
      const seen: unknown[] = []
      const db = guard({ name: 'db', run: () => ({ db: 'pool' }) })
      const transaction = interceptor({
        name: 'transaction',
        run: (_call, next: Next<{ db: string }>) => next({ db: 'transaction' }),
      })
      const outside = interceptor({
        name: 'outside',
        run: async (call: Call & { db: string }, next: Next) => {
          const outcome = await next()
          seen.push(call.db)
          return outcome
        },
      })
      const look = check({ name: 'look', run: (_input, call: Call & { db: string }) => void seen.push(call.db) })
      const { client } = await start({
        pkgIds: { DO: 1 },
        routes: { DO: route({ use: [db, look, outside, transaction], handler: (_input, call) => call.db }) },
      })
      const one = await client()
      expect(await one.call('DO')).toBe('transaction')
      expect(seen).toEqual(['pool', 'pool'])
    })

    it('are refused before the body is read', async () => {
      const denied = guard({
        name: 'denied',
        run: () => {
          throw new Error('not even looked at')
        },
      })
      const { raw } = await start({
        pkgIds: {},
        routes: {},
        endpoints: [route({ http: 'POST /do', use: [denied], input: v.object({}), handler: () => null })],
      })
      const never = async function* () {
        yield new Uint8Array(10)
        await new Promise(() => {})
      }
      const { status } = await raw.request({ method: 'POST', path: '/do', body: never() })
      expect(status).toBe(500)
    })

    const twice = async (_call: Call, next: Next): Promise<Outcome> => {
      await next()
      return next()
    }
    const forged = async (_call: Call, next: Next): Promise<Outcome> => ({ ...(await next()) })
    const lazy = async (): Promise<Outcome> => undefined as unknown as Outcome
    const misused: readonly [string, (call: Call, next: Next) => Promise<Outcome>, string][] = [
      ['calls next twice', twice, 'An interceptor called next twice'],
      ['does not return what next resolved with', forged, 'An interceptor did not return what next resolved with'],
      ['never calls next', lazy, 'An interceptor did not return what next resolved with'],
    ]
    it.each(misused)('of which one %s make an internal error, logged', async (_name, run, message) => {
      const { client, logs } = await start({
        pkgIds: { DO: 1 },
        routes: { DO: route({ use: [interceptor({ name: 'odd', run })], handler: () => 'leaks' }) },
      })
      const error = await (await client()).call('DO').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'internal_error', msg: 'Internal error', details: null })
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ message })
    })

    it('and handlers that throw anything answer internal_error without it, logged with it', async () => {
      const thrown: unknown[] = [new Error('secret'), 'secret', { msg: 'secret' }, null, undefined, 7]
      const { client, logs } = await start({
        pkgIds: { A: 1, B: 2, C: 3, D: 4, E: 5, F: 6 },
        routes: Object.fromEntries(
          ['A', 'B', 'C', 'D', 'E', 'F'].map((name, i) => [
            name,
            fails(() => {
              throw thrown[i]
            }),
          ]),
        ) as Record<'A' | 'B' | 'C' | 'D' | 'E' | 'F', ReturnType<typeof fails>>,
      })
      const one = await client()
      for (const name of ['A', 'B', 'C', 'D', 'E', 'F'] as const) {
        const error = await one.call(name).catch((failure: unknown) => failure)
        expect(error).toMatchObject({ code: 'internal_error', msg: 'Internal error', details: null, rspCode: 1 })
      }
      expect(logs.filter(({ level }) => level === 'error')).toHaveLength(6)
    })

    it('run around a command, synchronous or not', async () => {
      class Greet extends BaseCommand<{ name: string }, string> {
        readonly #greeting: string
        constructor(greeting: string) {
          super()
          this.#greeting = greeting
        }
        execute({ name }: { name: string }): string {
          return `${this.#greeting} ${name}`
        }
      }
      const hello = guard({ name: 'hello', run: () => ({ greeting: 'Hello' }) })
      const { client, request } = await start({
        pkgIds: { GREET: 1 },
        routes: {
          GREET: route({
            http: 'GET /greet/:name',
            use: [hello],
            input: v.object({ name: v.string() }),
            command: ({ greeting }) => new Greet(greeting),
          }),
        },
      })
      expect(await (await client()).call('GREET', { name: 'Ann' })).toBe('Hello Ann')
      expect((await request('GET /greet/Ann')).json()).toBe('Hello Ann')
    })

    it('do not change that output is enforced: unknown keys stay inside, a mismatch is an internal error', async () => {
      const schema = v.object({ id: v.number() })
      const wrong = () => ({ id: 'x' }) as unknown as { id: number }
      const routes = {
        MORE: route({ output: schema, handler: () => Object.assign({ id: 1 }, { hash: 'secret' }) }),
        WRONG: route({ output: schema, handler: wrong }),
        LOOSE: route({ output: unchecked(schema), handler: wrong }),
      }
      const { client, logs } = await start({ pkgIds: { MORE: 1, WRONG: 2, LOOSE: 3 }, routes })
      const one = await client()
      expect(await one.call('MORE')).toEqual({ id: 1 })
      await expect(one.call('WRONG')).rejects.toMatchObject({ code: 'internal_error', msg: 'Internal error' })
      expect(logs.find(({ level }) => level === 'error')?.fields.err).toMatchObject({ name: 'OutputMismatch' })
      expect(await one.call('LOOSE')).toEqual({ id: 'x' })
      const production = await start({ pkgIds: { MORE: 1, WRONG: 2, LOOSE: 3 }, routes, validateOutput: false })
      expect(await (await production.client()).call('MORE')).toEqual({ id: 1 })
    })

    it('and hooks that fail, at once or later, change no answer and end no process', async () => {
      const failing = plugin((host) => {
        host.onCall(() => {
          throw new Error('onCall')
        })
        host.onReply(() => Promise.reject(new Error('onReply')) as unknown as undefined)
        host.onDisconnect(() => Promise.reject(new Error('onDisconnect')) as unknown as undefined)
        host.mapErrors(() => {
          throw new Error('mapErrors')
        })
      })
      const boom = fails(() => {
        throw new Error('boom')
      })
      const { client, logs } = await start({
        pkgIds: { DO: 1, BOOM: 2 },
        routes: { DO: route({ handler: () => 'ok' }), BOOM: boom },
        plugins: [failing],
      })
      const one = await client()
      expect(await one.call('DO')).toBe('ok')
      await expect(one.call('BOOM')).rejects.toMatchObject({ code: 'internal_error' })
      one.terminate()
      const messages = () =>
        logs.filter(({ level }) => level === 'error').map(({ fields }) => (fields.err as Error).message)
      await until(() => messages().includes('onDisconnect'))
      expect(messages().sort()).toEqual(['boom', 'onCall', 'onCall', 'onDisconnect', 'onReply', 'onReply'])
    })

    it('and of mappers of errors the one that was registered last is asked first', async () => {
      const answering = (message: string, when: RegExp) =>
        plugin(
          (host) => host.mapErrors((error) => (when.test(String(error)) ? new NotFoundError(message) : null)),
          message,
        )
      const boom = fails(() => {
        throw new Error('row 7')
      })
      const { client } = await start({
        pkgIds: { BOOM: 1 },
        routes: { BOOM: boom },
        plugins: [answering('any row', /row/), answering('row 7', /row 7/), answering('row 8', /row 8/)],
      })
      await expect((await client()).call('BOOM')).rejects.toMatchObject({ code: 'not_found', msg: 'row 7' })
    })
  })
})
