import { createTestDatabase } from '@twinwire/core/database/testing'
import { onTransports } from '@twinwire/core/testing'
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { rateLimit } from '@twinwire/plugin-ratelimit'
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import { api } from '../api.ts'
import { clientId, developmentUsers, toAuthOptions } from '../issuer.ts'
import { ItemRepository } from './item.repository.ts'

const migrations = new URL('../../drizzle', import.meta.url)

// A PostgreSQL inside this process, with the migrations. Before each test its rows are those of the start.
const database = await createTestDatabase({ migrations, outbox: {} })
beforeEach(() => database.reset())
afterAll(() => database.close())

const issuer = await createTestIssuer({ realm: 'app', clientId, users: developmentUsers })
afterAll(() => issuer.stop())

// Each test runs twice: in memory, and on real sockets.
onTransports({ describe, afterEach }, ({ start }) => {
  const open = async () => {
    const { client, request } = await start({
      ...api,
      plugins: [database.plugin, auth(toAuthOptions(issuer)), rateLimit()],
    })
    return {
      client,
      request,
      signIn: (name: 'ann' | 'bob') => client({ headers: { authorization: `Bearer ${issuer.token(name)}` } }),
    }
  }

  it('adds items over both wires to one list', async () => {
    const { signIn } = await open()
    const ann = await signIn('ann')
    const milk = await ann.call('ADD_ITEM', { name: 'milk' })
    const eggs = await ann.http('ADD_ITEM', { name: ' eggs ', amount: 6 })
    expect(milk).toEqual({ id: 1, name: 'milk', amount: 1, bought: false, addedBy: 'ann' })
    expect(eggs).toEqual({ id: 2, name: 'eggs', amount: 6, bought: false, addedBy: 'ann' })
    expect(await ann.call('LIST_ITEMS')).toEqual([milk, eggs])
    expect(await ann.http('LIST_ITEMS')).toEqual([milk, eggs])
  })

  it('adds the amount to what is on the list already', async () => {
    const { signIn } = await open()
    const ann = await signIn('ann')
    await ann.call('ADD_ITEM', { name: 'eggs', amount: 6 })
    expect(await ann.http('ADD_ITEM', { name: 'eggs', amount: 4 })).toMatchObject({ id: 1, amount: 10 })
    expect(await ann.call('LIST_ITEMS')).toHaveLength(1)
  })

  it('takes what was bought from the list', async () => {
    const { signIn } = await open()
    const ann = await signIn('ann')
    const { id } = await ann.call('ADD_ITEM', { name: 'milk' })
    expect(await ann.http('BUY_ITEM', { id })).toMatchObject({ bought: true })
    expect(await ann.call('LIST_ITEMS')).toEqual([])
  })

  it('answers errors alike on both wires', async () => {
    const { signIn } = await open()
    const ann = await signIn('ann')
    const { id } = await ann.call('ADD_ITEM', { name: 'milk' })
    await ann.call('BUY_ITEM', { id })
    for (const send of [ann.call, ann.http]) {
      await expect(send('BUY_ITEM', { id })).rejects.toMatchObject({ code: 'shopping.already_bought', httpStatus: 409 })
      await expect(send('BUY_ITEM', { id: 99 })).rejects.toMatchObject({ code: 'not_found', httpStatus: 404 })
      await expect(send('ADD_ITEM', { name: '' })).rejects.toMatchObject({ code: 'validation_error', httpStatus: 422 })
    }
  })

  it('has an end', async () => {
    const { signIn } = await open()
    const ann = await signIn('ann')
    const names = Array.from({ length: 100 }, (_, index) => `item ${index}`)
    await new ItemRepository(database.db).createMany(names.map((name) => ({ name, amount: 1 })))
    await expect(ann.call('ADD_ITEM', { name: 'one more' })).rejects.toMatchObject({
      code: 'shopping.list_full',
      details: { max: 100 },
    })
  })

  it('limits what one user adds, over both wires together', async () => {
    const { signIn } = await open()
    const ann = await signIn('ann')
    for (let n = 1; n <= 5; n++) {
      await ann.call('ADD_ITEM', { name: 'milk' })
      await ann.http('ADD_ITEM', { name: 'milk' })
    }
    for (const send of [ann.call, ann.http])
      await expect(send('ADD_ITEM', { name: 'milk' })).rejects.toMatchObject({
        code: 'rate_limit_exceeded',
        httpStatus: 429,
      })
    expect(await ann.call('LIST_ITEMS')).toMatchObject([{ name: 'milk', amount: 10 }])
  })

  it('adds once what is sent twice', async () => {
    const { request, signIn } = await open()
    const headers = {
      authorization: `Bearer ${issuer.token('ann')}`,
      'content-type': 'application/json',
      'idempotency-key': 'shopping-1',
    }
    const first = await request('POST /items', { headers, body: '{"name":"milk"}' })
    const again = await request('POST /items', { headers, body: '{"name":"milk"}' })
    expect([again.status, again.text]).toEqual([201, first.text])
    expect(await (await signIn('ann')).call('LIST_ITEMS')).toMatchObject([{ name: 'milk', amount: 1 }])
    expect(await request('POST /items', { headers, body: '{"name":"eggs"}' })).toMatchObject({ status: 422 })
  })

  it('tells subscribers what has changed', async () => {
    const { signIn } = await open()
    const [ann, bob] = [await signIn('ann'), await signIn('bob')]
    await bob.subscribe('list')
    const milk = await ann.http('ADD_ITEM', { name: 'milk' })
    expect(await bob.nextEvent('ITEM_CHANGED')).toEqual(milk)
    await ann.call('BUY_ITEM', { id: milk.id })
    expect(await bob.nextEvent('ITEM_CHANGED')).toEqual({ ...milk, bought: true })
  })

  it('lets bob read, and not write', async () => {
    const { signIn } = await open()
    const bob = await signIn('bob')
    for (const send of [bob.call, bob.http]) {
      expect(await send('LIST_ITEMS')).toEqual([])
      await expect(send('ADD_ITEM', { name: 'milk' })).rejects.toMatchObject({
        code: 'permission_denied',
        httpStatus: 403,
      })
    }
  })

  it('refuses callers without a valid token', async () => {
    const { client, request } = await open()
    expect(await request('GET /items')).toMatchObject({ status: 401 })
    // The WebSocket is closed.
    await expect(client({ handshake: { type: 'auth', token: 'Bearer none' } })).rejects.toThrow('4001')
  })
})
