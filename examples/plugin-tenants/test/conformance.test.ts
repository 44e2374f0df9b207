import { pluginSuite } from '@twinwire/core/testing'
import * as vitest from 'vitest'
import { tenantErrors, tenants, tenantsSettings } from '../src/index.ts'
import { as, byClaim, notesApp } from './notes-app.ts'
import { createTenantsDatabase, notes, type TenantsDatabase } from './tenants-database.ts'

const { afterAll, beforeAll, expect } = vitest
let data: TenantsDatabase
beforeAll(async () => {
  data = await createTenantsDatabase()
})
afterAll(() => data.drop())

pluginSuite(vitest, {
  createPlugin: () => tenants(byClaim),
  createApp: (plugin) => notesApp(data.url, plugin),
  exercise: async (app, n) => {
    const client = await app.client(as(`ann@tenant-${n}`))
    const note = await client.call('ADD_NOTE', { text: `note ${n}` })
    expect(await client.http('LIST_NOTES')).toContainEqual(note)
    // Refused in a different way each time.
    const refused = await app.request('GET /tenant', as(n % 2 === 0 ? 'ann' : `ann@${n}:${n}`))
    expect(refused.status).toBe(n % 2 === 0 ? 403 : 400)
  },
  health: ['tenants'],
  errors: tenantErrors,
  options: {
    create: (options: { readonly tables: readonly never[] }) => tenants(options),
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
    create: (settings: { readonly claim?: string }) => tenants({ ...settings, tables: [notes] }),
  },
})
