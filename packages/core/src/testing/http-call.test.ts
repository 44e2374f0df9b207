import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { ConflictError, page, pageOf, route } from '../index.ts'
import { CallError, createTestClient, onTransports } from './index.ts'

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
    FILE: 9,
    TEXT: 10,
    SAVE: 11,
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
    DELETE: route({ http: 'DELETE /authors/:id', input: v.object({ id: v.number() }), handler: () => undefined }),
    FAIL: route({
      http: 'POST /failures',
      handler: (): null => {
        throw new ConflictError('Taken', { details: { name: 'x' } })
      },
    }),
    WIRE: route({ handler: (_input, call) => call.wire }),
    MAPPED: route({
      http: { route: 'GET /mapped', input: () => ({ name: 'x' }) },
      input: v.object({ name: v.string() }),
      handler: (input) => input,
    }),
    FILE: route({ http: 'GET /files/*path', input: v.object({ path: v.string() }), handler: ({ path }) => ({ path }) }),
    TEXT: route({ http: 'GET /caller', handler: (_input, call) => call.headers['x-caller'] ?? 'nobody' }),
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

    it('throws what the call was answered with, and the status of the response', async () => {
      const client = await (await start(options)).client()
      const error = await client.http('FAIL').catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({ code: 'conflict', msg: 'Taken', details: { name: 'x' }, status: 409 })
    })

    it('says what it cannot send', async () => {
      const { client: connect, app, connect: open } = await start(options)
      const client = await connect()
      await expect(client.http('WIRE')).rejects.toThrow('WIRE is served over WebSocket only')
      await expect(client.http('MAPPED', { name: 'x' })).rejects.toThrow("send one with request('GET /mapped')")
      const bare = createTestClient(app, await open())
      await expect(bare.http('TEXT')).rejects.toThrow('without a way to HTTP')
    })
  })
})
