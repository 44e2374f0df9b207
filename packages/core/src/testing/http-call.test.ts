import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { ConflictError, defineErrors, page, pageOf, RSPCode, reply, route } from '../index.ts'
import { CallError, createTestClient, onTransports } from '../testing.ts'

const shop = defineErrors('shop', {
  taken: { httpStatus: 409, message: 'Taken' },
  gone: { httpStatus: 404, message: 'Gone' },
  broke: { httpStatus: 402, message: 'Broke' },
  odd: { httpStatus: 418, message: 'Odd', status: RSPCode.PERMISSION_DENIED },
})
const options = {
  pkgIds: {
    CREATE: 1,
    FIND: 2,
    LIST: 3,
    RENAME: 4,
    DELETE: 5,
    FAIL: 6,
    WIRE: 7,
    MAPPED: 8,
    MAPPED_BODY: 12,
    CRASH: 13,
    OWN: 14,
    FILE: 9,
    TEXT: 10,
    SAVE: 11,
    CUT: 15,
  },
  routes: {
    CREATE: route({
      http: { route: 'POST /authors', status: 201 },
      input: v.object({ name: v.string(), born: v.optional(v.nullable(v.number())) }),
      handler: (input) => ({ ...input, at: new Date(0), size: 7n }),
    }),
    FIND: route({
      http: 'GET /authors/:id',
      input: v.object({ id: v.string(), tags: v.optional(v.array(v.string())), deep: v.optional(v.boolean()) }),
      handler: (input, call) => ({ ...input, path: call.wire }),
    }),
    LIST: route({
      http: 'GET /authors',
      input: v.object({ page: v.optional(v.number(), 1) }),
      output: pageOf(v.string()),
      handler: (input) => page(['a', 'b'], { page: input.page, per_page: 2, total: 5 }),
    }),
    RENAME: route({
      http: { route: 'PUT /authors/:id', query: ['dry'] },
      input: v.object({ id: v.number(), name: v.string(), dry: v.boolean() }),
      handler: (input, call) => ({ ...input, query: call.query }),
    }),
    CUT: route({
      http: 'GET /cut',
      output: v.array(v.string()),
      handler: () => reply(['a'], { meta: page([], { page: 1, per_page: 1, total: 2 }).meta }),
    }),
    DELETE: route({ http: 'DELETE /authors/:id', input: v.object({ id: v.number() }), handler: () => undefined }),
    FAIL: route({
      http: 'POST /failures',
      handler: (): null => {
        throw new ConflictError('Taken', { details: { name: 'x' } })
      },
    }),
    WIRE: route({ handler: (_input, call) => call.wire }),
    MAPPED: route({
      http: {
        route: 'GET /mapped',
        params: { page: 'int' },
        input: ({ kind, search, page }) => ({ filters: { kind, search }, page }),
      },
      input: v.object({
        filters: v.object({ kind: v.string(), search: v.optional(v.string()) }),
        page: v.optional(v.number()),
      }),
      handler: (input) => input,
    }),
    MAPPED_BODY: route({
      http: { route: 'POST /mapped', query: ['dry'], input: ({ dry, ...author }) => ({ author, dry: dry === true }) },
      input: v.object({ author: v.object({ name: v.string() }), dry: v.boolean() }),
      handler: (input) => input,
    }),
    CRASH: route({
      http: 'POST /crash',
      handler: (): null => {
        throw new TypeError('born is not a date')
      },
    }),
    OWN: route({
      http: 'POST /own/:name',
      input: v.object({ name: v.picklist(['taken', 'gone', 'broke', 'odd']) }),
      handler: ({ name }): null => {
        throw shop[name]()
      },
    }),
    FILE: route({ http: 'GET /files/*path', input: v.object({ path: v.string() }), handler: ({ path }) => ({ path }) }),
    TEXT: route({ http: 'GET /caller', handler: (_input, call) => call.headers['x-caller'] ?? 'anonymous' }),
    SAVE: route({
      http: 'POST /saved',
      input: v.array(v.number()),
      handler: (numbers) => numbers.length,
    }),
  },
} as const

describe('a client over HTTP', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('answers as it does over WebSocket', async () => {
      const client = await (await start(options)).client()
      const made = { name: 'Ursula', born: null, at: '1970-01-01T00:00:00.000Z', size: '7' }
      expect(await client.http('CREATE', { name: 'Ursula', born: null })).toEqual(made)
      expect(await client.call('CREATE', { name: 'Ursula', born: null })).toEqual(made)
      expect(await client.http('LIST', { page: 2 })).toEqual(await client.call('LIST', { page: 2 }))
      expect((await client.http('LIST')).items).toEqual(['a', 'b'])
      // Its `meta` does not make it a page: `output` says what it is.
      expect([await client.http('CUT'), await client.call('CUT')]).toEqual([['a'], ['a']])
      expect(await client.http('DELETE', { id: 7 })).toBeNull()
      expect(await client.http('SAVE', [1, 2])).toBe(2)
    })

    it('fills the path, and sends the rest where the method has it', async () => {
      const client = await (await start(options)).client()
      expect(await client.http('FIND', { id: 'a/b ü?', tags: ['x', 'y&z'], deep: true })).toEqual({
        id: 'a/b ü?',
        tags: ['x', 'y&z'],
        deep: true,
        path: 'http',
      })
      expect(await client.http('RENAME', { id: 7, name: 'U.', dry: true })).toEqual({
        id: 7,
        name: 'U.',
        dry: true,
        query: { dry: 'true' },
      })
      expect(await client.http('FILE', { path: 'a b/c.txt' })).toEqual({ path: 'a b/c.txt' })
    })

    it('sends the headers that it connected with', async () => {
      const client = await (await start(options)).client({ headers: { 'x-caller': 'ann' } })
      expect(await client.http('TEXT')).toBe('ann')
      expect(await client.call('TEXT')).toBe('ann')
    })

    it('takes what the mapping of a route makes its input of', async () => {
      const client = await (await start(options)).client()
      const input = { filters: { kind: 'novel', search: 'left hand' }, page: 2 }
      expect(await client.http('MAPPED', { kind: 'novel', search: 'left hand', page: 2 })).toEqual(input)
      expect(await client.call('MAPPED', input)).toEqual(input)
      expect(await client.http('MAPPED_BODY', { dry: true, name: 'Ursula' })).toEqual({
        author: { name: 'Ursula' },
        dry: true,
      })
    })

    const wires = ['call', 'http'] as const
    it.each(wires)('throws what the call was answered with, by both statuses: %s', async (wire) => {
      const client = await (await start(options)).client()
      const error = await client[wire]('FAIL').catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({
        code: 'conflict',
        msg: 'Taken',
        details: { name: 'x' },
        rspCode: RSPCode.INVALID_DATA,
        httpStatus: 409,
        message: 'conflict: Taken',
        cause: expect.any(ConflictError),
      })
    })

    it.each(wires)('shows what was thrown in the app, which no client is told: %s', async (wire) => {
      const client = await (await start(options)).client()
      const error = await client[wire]('CRASH').catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'internal_error',
        msg: 'Internal error',
        httpStatus: 500,
        rspCode: RSPCode.ERROR,
        message: 'internal_error: Internal error, because of TypeError: born is not a date',
        cause: expect.any(TypeError),
      })
    })

    it.each(wires)('knows errors of the application by both statuses, declared or not: %s', async (wire) => {
      const client = await (await start(options)).client()
      const statuses = async (name: keyof typeof shop) => {
        const error = await client[wire]('OWN', { name }).catch((thrown: unknown) => thrown)
        if (!(error instanceof CallError)) throw error
        return [error.code, error.rspCode, error.httpStatus]
      }
      expect(await statuses('taken')).toEqual(['shop.taken', RSPCode.INVALID_DATA, 409])
      expect(await statuses('gone')).toEqual(['shop.gone', RSPCode.ERROR, 404])
      expect(await statuses('broke')).toEqual(['shop.broke', RSPCode.ERROR, 402])
      expect(await statuses('odd')).toEqual(['shop.odd', RSPCode.PERMISSION_DENIED, 418])
    })

    it.each(wires)('knows what the tables say where nothing is known of the app: %s', async (wire) => {
      const { app, connect, raw } = await start(options)
      const client = createTestClient<typeof options.routes>(app, await connect(), { raw, routes: options.routes })
      const failing = client[wire]('FAIL').catch((thrown: unknown) => thrown)
      expect(await failing).toMatchObject({ rspCode: RSPCode.INVALID_DATA, httpStatus: 409, cause: undefined })
      const own = await client[wire]('OWN', { name: 'taken' }).catch((thrown: unknown) => thrown)
      expect(own).toMatchObject({ rspCode: RSPCode.INVALID_DATA, httpStatus: wire === 'http' ? 409 : 422 })
    })

    it('says what it cannot send', async () => {
      const { client: connect, app, connect: open } = await start(options)
      const client = await connect()
      await expect(client.http('WIRE')).rejects.toThrow('WIRE is served over WebSocket only')
      const bare = createTestClient(app, await open())
      await expect(bare.http('TEXT')).rejects.toThrow('has no HTTP side')
    })
  })
})
