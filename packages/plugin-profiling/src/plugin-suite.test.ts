import { guard, PermissionDeniedError } from '@twinwire/core'
import { fakeIdentity, pluginSuite } from '@twinwire/core/testing'
import * as vitest from 'vitest'
import { profiling } from './index.ts'

const { expect } = vitest
const admins = guard({
  name: 'admins',
  identity: 'required',
  run: ({ identity }) => {
    if (identity?.id !== 'admin') throw new PermissionDeniedError()
  },
})

pluginSuite(vitest, {
  createPlugin: () => profiling({ access: { use: [admins] } }),
  createApp: (plugin) => ({ pkgIds: {}, routes: {}, plugins: [fakeIdentity(), plugin] }),
  exercise: async ({ request }, n) => {
    const as = (id: string) => ({ headers: { authorization: `Bearer ${id}` } })
    expect((await request('GET /profiling/heap?seconds=0.1', as(`ann-${n}`))).status).toBe(403)
    expect((await request(`GET /profiling/cpu?seconds=${100 + n}`, as('admin'))).status).toBe(422)
    // One profile is taken at a time.
    const { status } = await request('GET /profiling/heap?seconds=0.1', as('admin'))
    expect([200, 409, 503]).toContain(status)
  },
  instruments: ['profiles_'],
  options: {
    create: profiling,
    valid: { access: 'public', path: '/profiles', maxSeconds: 5 },
    refused: {
      access: [undefined, 'none', {}, { networks: [] }, { networks: ['x'] }, { use: [] }, { port: -1 }],
      path: ['profiles', '/a?b'],
      maxSeconds: [0, 61, '5'],
    },
  },
})
