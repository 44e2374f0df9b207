import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { ConflictError, event, page, route } from '../index.ts'
import { CallError, createVirtualClock, onTransports, type TestRequest } from '../testing.ts'

const created = event({ data: v.object({ name: v.string() }) })
const options = {
  pkgIds: { CREATE: 1, LIST: 2, FAIL: 3, SILENT: 4, CREATED: 100 },
  routes: {
    CREATE: route({
      http: 'POST /authors',
      input: v.object({ name: v.string() }),
      handler: ({ name }, call) => {
        call.log.warn({ name }, 'Created')
        call.broadcast(created, { name })
        return { name, at: new Date(0) }
      },
    }),
    LIST: route({ handler: () => page(['a', 'b'], { page: 1, per_page: 2, total: 3 }) }),
    FAIL: route({
      handler: (): null => {
        throw new ConflictError('Taken', { details: { name: 'x' } })
      },
    }),
    SILENT: route({ handler: () => new Promise<null>(() => {}) }),
  },
  events: { CREATED: created },
} as const

describe('the testing kit', () => {
  onTransports({ describe, afterEach }, ({ start, transport }) => {
    it('serves an app in one line, and its client calls and hears events', async () => {
      const { client, app, logs, address } = await start(options)
      expect(app.environment).toBe('test')
      expect(address.port).toBeGreaterThan(0)
      const one = await client()
      const other = await client()
      expect(await one.call('CREATE', { name: 'Ursula' })).toEqual({ name: 'Ursula', at: '1970-01-01T00:00:00.000Z' })
      expect(await other.nextEvent('CREATED')).toEqual({ name: 'Ursula' })
      expect(await one.nextEvent('CREATED')).toEqual({ name: 'Ursula' })
      expect(logs).toContainEqual({
        level: 'warn',
        message: 'Created',
        fields: expect.objectContaining({ name: 'Ursula', route: 'CREATE', wire: 'ws' }),
      })
    })

    it('gives a page as items and meta', async () => {
      const { client } = await start(options)
      const { items, meta } = await (await client()).call('LIST')
      expect(items).toEqual(['a', 'b'])
      expect(meta).toMatchObject({ total: 3, pages: 2, has_more: true })
    })

    it('sends forms, search parameters and blobs as fetch does', async () => {
      const sent = route({
        http: { route: 'POST /sent', body: 'raw' },
        access: 'public',
        input: v.object({ body: v.instance(Uint8Array) }),
        handler: ({ body }, { headers }) => ({
          type: headers['content-type'] ?? null,
          body: new TextDecoder().decode(body),
        }),
      })
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [sent] })
      const send = async (body: NonNullable<TestRequest['body']>, headers = {}) =>
        (await request('POST /sent', { body, headers })).json()
      const form = new FormData()
      form.append('title', 'Cats')
      form.append('photo', new File(['meow'], 'cat.png', { type: 'image/png' }))
      expect(await send(form)).toEqual({
        type: expect.stringMatching(/^multipart\/form-data; boundary=/),
        body: expect.stringMatching(/name="title"\r\n\r\nCats\r\n.*filename="cat.png"\r\n.*\r\n\r\nmeow\r\n/s),
      })
      const type = 'application/x-www-form-urlencoded;charset=UTF-8'
      expect(await send(new URLSearchParams({ q: 'a b' }))).toEqual({ type, body: 'q=a+b' })
      expect(await send(new Blob(['x'], { type: 'text/csv' }))).toEqual({ type: 'text/csv', body: 'x' })
      expect(await send(new Blob(['x']))).toEqual({ type: null, body: 'x' })
      const own = { 'content-type': 'text/plain' }
      expect(await send(new Blob(['x'], { type: 'text/csv' }), own)).toEqual({ type: 'text/plain', body: 'x' })
    })

    it('throws what a call was answered with', async () => {
      const { client } = await start(options)
      const error = await (await client()).call('FAIL').catch((thrown: unknown) => thrown)
      expect(error).toBeInstanceOf(CallError)
      expect(error).toMatchObject({
        code: 'conflict',
        msg: 'Taken',
        details: { name: 'x' },
        rspCode: 2,
        httpStatus: 409,
      })
    })

    it('sends requests', async () => {
      const { request } = await start(options)
      const response = await request('POST /authors', { json: { name: 'Ursula' } })
      expect(response.status).toBe(200)
      expect(response.json()).toMatchObject({ name: 'Ursula' })
      expect((await request('GET /nowhere')).status).toBe(404)
    })

    it('fails a call whose connection ends', async () => {
      const { client } = await start(options)
      const one = await client()
      const call = one.call('SILENT')
      one.terminate()
      await expect(call).rejects.toThrow('closed with 1006')
      await expect(one.nextEvent('CREATED')).rejects.toThrow('closed with 1006')
    })

    it('rejects a call whose input has no form on the wire, and leaves nothing behind', async () => {
      const circular: { name: string; self?: unknown } = { name: 'x' }
      circular.self = circular
      for (const input of [circular, { name: 'x', sizes: new Set([1]) }]) {
        const { client, close } = await start(options)
        const one = await client()
        await expect(one.call('CREATE', input)).rejects.toThrow(TypeError)
        await expect(one.http('CREATE', input)).rejects.toThrow(TypeError)
        // What waited for its answer would fail when the connection ends, and nothing would handle it.
        one.terminate()
        await one.closed
        await close()
      }
    })

    it('closes an app on a virtual clock', async () => {
      const clock = createVirtualClock()
      const { client, close, app } = await start({ ...options, clock })
      void (await client()).call('SILENT').catch(() => undefined)
      await close({ abandon: true })
      expect(app.state).toBe('closed')
    })

    it('fails a test that leaves a call without its answer', async () => {
      const { client, close, app } = await start({ ...options, clock: createVirtualClock() })
      const one = await client()
      void one.call('SILENT').catch(() => undefined)
      await one.call('LIST')
      await expect(close()).rejects.toThrow(/^The test app was closed before SILENT was answered/)
      expect(app.state).toBe('closed')
      await close()
    })

    it('lets it be where that is meant', async () => {
      const { client, close } = await start({ ...options, clock: createVirtualClock() }, { leftovers: 'allow' })
      const one = await client()
      void one.call('SILENT').catch(() => undefined)
      await one.call('LIST')
      await close()
    })

    it('fails a test during which a rejection was unhandled', async () => {
      const { close } = await start(options)
      // The runner would fail this test too, as it should.
      const others = process.listeners('unhandledRejection')
      for (const other of others.slice(0, -1)) process.off('unhandledRejection', other)
      try {
        void Promise.reject(new Error('forgotten'))
        await expect(close()).rejects.toThrow('had an unhandled rejection (Error: forgotten)')
      } finally {
        for (const other of others.slice(0, -1)) process.on('unhandledRejection', other)
      }
      expect(process.listeners('unhandledRejection')).toHaveLength(others.length - 1)
    })

    it('says which transport it is', () => {
      expect(['memory', 'uws']).toContain(transport)
    })
  })
})
