import { guard, route } from '@twinwire/core'
import { fakeIdentity, pluginSuite } from '@twinwire/core/testing'
import * as v from 'valibot'
import * as vitest from 'vitest'
import { openapi } from './index.ts'

const { expect } = vitest
const signedIn = guard({ name: 'signedIn', identity: 'required', run: () => {} })
const ping = route({ http: 'GET /ping', access: 'public', output: v.string(), handler: () => 'pong' })

pluginSuite(vitest, {
  createPlugin: () => openapi({ access: { use: [signedIn] } }),
  createApp: (plugin) => ({ pkgIds: { PING: 1 }, routes: { PING: ping }, plugins: [fakeIdentity(), plugin] }),
  exercise: async ({ request }, n) => {
    const headers = { authorization: `Bearer ann-${n}` }
    for (const path of ['/openapi.json', '/asyncapi.json', '/docs'])
      expect((await request(`GET ${path}?n=${n}`, { headers })).status).toBeLessThan(400)
    expect((await request(`GET /docs/file-${n}`, { headers })).status).toBe(404)
  },
  options: {
    create: openapi,
    valid: {
      access: 'public',
      info: { title: 'Pings', version: '1.0.0', description: 'Answers' },
      servers: [{ url: 'https://a.example', description: 'A' }],
      paths: { openapi: '/o.json', asyncapi: '/a.json', docs: false },
    },
    refused: {
      access: ['none', {}, { networks: ['x'] }, { use: [] }, { port: '9' }],
      info: [null, 'title'],
      'info.title': ['', 1],
      servers: [{}, ['https://a.example'], [{ url: 'a.example' }], [{ url: 'https://a.example', name: 'x' }]],
      'paths.openapi': [false, 'openapi.json'],
      'paths.docs': [true, 'docs'],
    },
  },
})
