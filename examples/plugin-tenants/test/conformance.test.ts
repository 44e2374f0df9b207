import { type Identity, route } from '@twinwire/core'
import { BaseRepository, database, transaction } from '@twinwire/core/database'
import { fakeIdentity, pluginSuite } from '@twinwire/core/testing'
import * as v from 'valibot'
import * as vitest from 'vitest'
import { inTenant, requireTenant, type TenantsSettings, tenantErrors, tenants, tenantsSettings } from '../src/index.ts'
import { createTenantsDatabase, notes, type TenantsDatabase } from './tenants-database.ts'

const { afterAll, beforeAll, expect } = vitest
let data: TenantsDatabase
beforeAll(async () => {
  data = await createTenantsDatabase()
})
afterAll(() => data.drop())

const addNote = route({
  http: 'POST /notes',
  use: [requireTenant(), transaction(), inTenant()],
  input: v.object({ text: v.string() }),
  output: v.object({ tenant: v.string(), text: v.string() }),
  handler: ({ text }, { db, tenant }) => new BaseRepository(db, notes).create({ text, tenant }),
})

/** The header `authorization: <tenant>` signs in a user of that tenant. */
const signIn = () =>
  fakeIdentity(({ headers }) => {
    if (headers.authorization === undefined) return null
    const user: Identity & { readonly claims: object } = {
      id: 'ann',
      name: 'Ann',
      claims: { tenant: headers.authorization },
    }
    return user
  })

pluginSuite(vitest, {
  createPlugin: () => tenants({ tables: [notes], claim: 'tenant' }),
  createApp: (plugin) => ({
    pkgIds: { ADD_NOTE: 1 },
    routes: { ADD_NOTE: addNote },
    plugins: [signIn(), database({ url: data.url, schema: { notes } }), plugin],
  }),
  exercise: async (app, n) => {
    const tenant = `tenant-${n}`
    const client = await app.client({ headers: { authorization: tenant } })
    const note = { tenant, text: `note ${n}` }
    expect(await client.call('ADD_NOTE', { text: note.text })).toEqual(note)
    expect(await client.http('ADD_NOTE', { text: note.text })).toEqual(note)
    // An error of the plugin: a tenant cannot have this name.
    expect((await app.request('GET /tenant', { headers: { authorization: `${n}:${n}` } })).status).toBe(400)
  },
  health: ['tenants'],
  errors: tenantErrors,
  options: {
    create: tenants,
    valid: { tables: [notes], claim: 'tenant', path: '/my-tenant' },
    refused: {
      tables: [[], [{}], 'notes'],
      claim: ['', 7, undefined],
      header: ['x-tenant', 'X-Tenant', ''],
      allow: [true, () => true],
      path: ['tenant', '/a b'],
    },
  },
  settings: {
    group: tenantsSettings,
    variables: { TENANTS_CLAIM: 'tenant', TENANTS_PATH: '/my-tenant' },
    refused: { TENANTS_CLAIM: [''], TENANTS_HEADER: ['x-tenant', 'X Tenant'], TENANTS_PATH: ['tenant'] },
    create: (settings: TenantsSettings) => tenants({ ...settings, tables: [notes] }),
  },
})
