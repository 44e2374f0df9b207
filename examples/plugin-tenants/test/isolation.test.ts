import { createTestApp, type TestApp } from '@twinwire/core/testing'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { tenants } from '../src/index.ts'
import { as, byClaim, type events, notesApp, type routes } from './notes-app.ts'
import { createTenantsDatabase, type TenantsDatabase } from './tenants-database.ts'

let data: TenantsDatabase
let app: TestApp<typeof routes, typeof events>
beforeAll(async () => {
  data = await createTenantsDatabase()
})
afterAll(() => data.drop())

async function start(maxConnections?: number): Promise<void> {
  await data.run('truncate notes restart identity')
  app = await createTestApp(notesApp(data.url, tenants(byClaim), maxConnections))
}
afterEach(() => app.close())

const textOf = async (caller: string) => {
  const client = await app.client(as(caller))
  const notes = [await client.call('LIST_NOTES'), await client.http('LIST_NOTES')]
  expect(notes[0]).toEqual(notes[1])
  return notes[0]?.map(({ text }) => text).sort()
}

describe('two tenants', () => {
  beforeEach(() => start())

  it('see and add rows of their own, over both wires', async () => {
    const [ann, bob] = [await app.client(as('ann@acme')), await app.client(as('bob@globex'))]
    expect(await ann.call('ADD_NOTE', { text: 'by Ann' })).toEqual({ id: 1, tenant: 'acme', text: 'by Ann' })
    expect(await bob.http('ADD_NOTE', { text: 'by Bob' })).toEqual({ id: 2, tenant: 'globex', text: 'by Bob' })
    expect([await textOf('ann@acme'), await textOf('bob@globex')]).toEqual([['by Ann'], ['by Bob']])
  })

  it('cannot add rows for one another', async () => {
    const ann = await app.client(as('ann@acme'))
    const forged = { text: 'forged', tenant: 'globex' }
    await expect(ann.call('ADD_NOTE', forged)).rejects.toMatchObject({ code: 'database_error' })
    await expect(ann.http('ADD_NOTE', forged)).rejects.toMatchObject({ code: 'database_error' })
    expect(await textOf('bob@globex')).toEqual([])
  })

  it('stay apart in concurrent calls on both wires', async () => {
    const names = ['acme', 'globex', 'initech']
    const clients = await Promise.all(names.map((tenant) => app.client(as(`ann@${tenant}`))))
    const calls = clients.flatMap((client, i) =>
      Array.from({ length: 20 }, async (_, n) => {
        const text = `${names[i]} ${n}`
        await (n % 2 === 0 ? client.call('ADD_NOTE', { text }) : client.http('ADD_NOTE', { text }))
        const seen = await (n % 3 === 0 ? client.call('LIST_NOTES') : client.http('LIST_NOTES'))
        expect(seen.map(({ tenant }) => tenant)).toEqual(seen.map(() => names[i]))
      }),
    )
    await Promise.all(calls)
    for (const name of names) expect(await textOf(`ann@${name}`)).toHaveLength(20)
  })

  it('receive publications of their own, and may not join topics of one another', async () => {
    const [ann, bob] = [await app.client(as('ann@acme')), await app.client(as('bob@globex'))]
    await ann.subscribe('tenant:acme:notes')
    await bob.subscribe('tenant:globex:notes')
    await expect(bob.subscribe('tenant:acme:notes')).rejects.toMatchObject({ code: 'permission_denied' })
    await ann.call('ADD_NOTE', { text: 'by Ann' })
    await bob.call('ADD_NOTE', { text: 'by Bob' })
    expect(await ann.nextEvent('NOTE_ADDED')).toEqual({ text: 'by Ann' })
    expect(await bob.nextEvent('NOTE_ADDED')).toEqual({ text: 'by Bob' })
  })
})

describe('one connection, which all tenants use in turn', () => {
  beforeEach(() => start(1))

  it('has no tenant after a transaction', async () => {
    const ann = await app.client(as('ann@acme'))
    await ann.call('ADD_NOTE', { text: 'by Ann' })
    for (const name of ['PEEK', 'PEEK_INSIDE'] as const) {
      await expect(ann.call(name)).rejects.toMatchObject({ code: 'tenants.not_set', httpStatus: 500 })
      await expect(ann.http(name)).rejects.toMatchObject({ code: 'tenants.not_set' })
    }
    expect(await textOf('bob@globex')).toEqual([])
  })

  it('has no tenant after one that was rolled back, nor its rows', async () => {
    const ann = await app.client(as('ann@acme'))
    await ann.call('ADD_NOTE', { text: 'stays' })
    await expect(ann.http('ADD_AND_FAIL', { text: 'goes' })).rejects.toMatchObject({ code: 'tenants.refused' })
    await expect(ann.call('PEEK')).rejects.toMatchObject({ code: 'tenants.not_set' })
    expect([await textOf('bob@globex'), await textOf('ann@acme')]).toEqual([[], ['stays']])
  })

  it('has the tenant in each attempt of a call that is repeated', async () => {
    const [ann, bob] = [await app.client(as('ann@acme')), await app.client(as('bob@globex'))]
    const both = [
      ann.call('ADD_ON_SECOND_ATTEMPT', { text: 'of Ann' }),
      bob.http('ADD_ON_SECOND_ATTEMPT', { text: 'of Bob' }),
    ]
    expect(await Promise.all(both)).toEqual([2, 2])
    expect([await textOf('ann@acme'), await textOf('bob@globex')]).toEqual([['of Ann'], ['of Bob']])
  })
})

describe('without a tenant', () => {
  beforeEach(() => start())

  it('the rows are refused, also where inTenant() has no transaction around it', async () => {
    const ann = await app.client(as('ann@acme'))
    await ann.call('ADD_NOTE', { text: 'by Ann' })
    await expect(ann.call('ADD_OUTSIDE')).rejects.toMatchObject({ code: 'tenants.not_set' })
    await expect(ann.http('PEEK')).rejects.toMatchObject({
      code: 'tenants.not_set',
      msg: 'Data of tenants was used without a tenant',
    })
  })

  it('a caller is refused', async () => {
    const [ann, odd] = [await app.client(as('ann')), await app.client(as('ann@a:b'))]
    await expect(ann.call('LIST_NOTES')).rejects.toMatchObject({ code: 'tenants.missing', httpStatus: 403 })
    await expect(odd.http('LIST_NOTES')).rejects.toMatchObject({ code: 'tenants.malformed', httpStatus: 400 })
    expect((await app.request('GET /tenant')).status).toBe(401)
    expect((await app.request('GET /tenant', as('ann@acme'))).json()).toEqual({ tenant: 'acme' })
    const family = app.app.instruments.families().find(({ name }) => name === 'tenants_refused_total')
    expect(family?.cells.map(({ labels }) => labels.reason)).toEqual(['missing', 'malformed', 'refused'])
  })
})

describe('a tenant that a header names', () => {
  const header = (tenant: string) => ({ headers: { ...as('ann').headers, 'x-tenant': tenant } })

  it('is used if the caller may act for it', async () => {
    await data.run('truncate notes restart identity')
    const byHeader = tenants({
      tables: byClaim.tables,
      header: 'x-tenant',
      allow: ({ id }, tenant) => id === 'ann' && tenant !== 'globex',
    })
    app = await createTestApp(notesApp(data.url, byHeader))
    const ann = await app.client(header('acme'))
    expect(await ann.call('ADD_NOTE', { text: 'by Ann' })).toMatchObject({ tenant: 'acme' })
    await ann.subscribe('tenant:acme:notes')
    expect((await app.request('GET /tenant', header('acme'))).json()).toEqual({ tenant: 'acme' })
    const other = await app.client(header('globex'))
    await expect(other.call('LIST_NOTES')).rejects.toMatchObject({ code: 'tenants.refused', httpStatus: 403 })
    await expect(other.subscribe('tenant:acme:notes')).rejects.toMatchObject({ code: 'tenants.refused' })
    expect((await app.request('GET /notes', as('ann'))).json()).toMatchObject({ error: { code: 'tenants.missing' } })
  })
})
