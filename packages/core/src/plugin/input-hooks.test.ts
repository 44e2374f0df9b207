import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { guard, PermissionDeniedError, route } from '../index.ts'
import { plugin } from '../testing/suite.fixtures.ts'
import { onTransports } from '../testing.ts'

const refused = guard({
  name: 'refused',
  run: () => {
    throw new PermissionDeniedError()
  },
})
const pkgIds = { RENAME: 1, REFUSED: 2 } as const
const routes = {
  RENAME: route({
    http: { route: 'PUT /authors/:id', query: ['note'] },
    access: 'public',
    input: v.object({ id: v.number(), name: v.string(), note: v.optional(v.string()) }),
    handler: ({ id }) => id,
  }),
  REFUSED: route({ http: 'POST /refused', access: 'public', use: [refused], input: v.any(), handler: () => {} }),
}

describe('onInput', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('gets what was sent, before validation, on both wires, and the path over HTTP', async () => {
      const seen: unknown[] = []
      const probe = plugin((host) =>
        host.onInput(({ wire, route: { name }, path }, input) => void seen.push({ wire, name, path, input })),
      )
      const { request, client } = await start({ pkgIds, routes, plugins: [probe] })
      expect((await request('PUT /authors/7?note=x', { json: { name: 'Ann' } })).status).toBe(200)
      expect((await request('PUT /authors/7', { json: { name: 5 } })).status).toBe(422)
      await (await client()).call('RENAME', { id: 8, name: 'Bob' })
      expect((await request('POST /refused', { json: {} })).status).toBe(403)
      expect(seen).toMatchObject([
        { wire: 'http', name: 'RENAME', path: '/authors/7', input: { name: 'Ann', note: 'x' } },
        { wire: 'http', name: 'RENAME', path: '/authors/7', input: { name: 5 } },
        { wire: 'ws', name: 'RENAME', path: null, input: { id: 8, name: 'Bob' } },
      ])
    })

    it('that throws or rejects is logged, and the call goes on', async () => {
      const probe = plugin((host) => {
        host.onInput(() => {
          throw new Error('first')
        })
        host.onInput(() => Promise.reject(new Error('second')) as never)
      })
      const { request, logs } = await start({ pkgIds, routes, plugins: [probe] })
      expect((await request('PUT /authors/7', { json: { name: 'Ann' } })).status).toBe(200)
      await expect.poll(() => logs.filter(({ message }) => message === 'A hook of a plugin failed').length).toBe(2)
    })
  })
})
