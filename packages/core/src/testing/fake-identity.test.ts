import { afterEach, describe, expect, it } from 'vitest'
import { AuthenticationError, route } from '../index.ts'
import { fakeIdentity, onTransports } from '../testing.ts'

const table = {
  pkgIds: { WHO: 1 },
  routes: { WHO: route({ http: 'GET /who', handler: (_input, call) => call.identity?.name ?? 'anonymous' }) },
} as const

describe('an identity for tests', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is the same on both wires', async () => {
      const { client } = await start({ ...table, plugins: [fakeIdentity({ id: 'u1', name: 'Ursula' })] })
      const one = await client()
      expect([await one.call('WHO'), await one.http('WHO')]).toEqual(['Ursula', 'Ursula'])
    })

    it('is who the header says', async () => {
      const { client, request } = await start({ ...table, plugins: [fakeIdentity()] })
      const ann = await client({ headers: { authorization: 'Bearer ann' } })
      const bob = await client({ headers: { authorization: 'Bearer bob' } })
      expect([await ann.call('WHO'), await ann.http('WHO')]).toEqual(['ann', 'ann'])
      expect([await bob.call('WHO'), await bob.http('WHO')]).toEqual(['bob', 'bob'])
      expect((await request('GET /who')).status).toBe(401)
    })

    it('is anonymous without one', async () => {
      const { client } = await start({ ...table, plugins: [fakeIdentity()] })
      const anonymous = await client()
      await expect(anonymous.http('WHO')).rejects.toMatchObject({ code: 'authentication_failed', httpStatus: 401 })
      await expect(anonymous.call('WHO')).rejects.toThrow('closed with 4001')
    })

    it('is found by a function, which may refuse', async () => {
      const identify = fakeIdentity(({ query }) => {
        if (query.as === 'bad') throw new AuthenticationError('No')
        return typeof query.as === 'string' ? { id: query.as, name: query.as } : null
      })
      const { client, request } = await start({ ...table, plugins: [identify] })
      expect(await (await client({ path: '/ws?as=ann' })).call('WHO')).toBe('ann')
      expect((await request('GET /who?as=ann')).json()).toBe('ann')
      await expect(client({ path: '/ws?as=bad' })).rejects.toMatchObject({ status: 401 })
    })
  })
})
