import { route } from '@twinwire/core'
import { pluginSuite } from '@twinwire/core/testing'
import * as v from 'valibot'
import * as vitest from 'vitest'
import { otel } from './otel-plugin.ts'
import { createSpans } from './spans.fixtures.ts'

const { expect } = vitest
const { tracerProvider } = createSpans()
const read = route({
  http: 'GET /read/:id',
  access: 'public',
  input: v.object({ id: v.number() }),
  handler: ({ id }) => id,
})

pluginSuite(vitest, {
  createPlugin: () => otel({ tracerProvider }),
  createApp: (plugin) => ({ pkgIds: { READ: 1 }, routes: { READ: read }, plugins: [plugin] }),
  exercise: async ({ client }, n) => {
    const one = await client()
    expect([await one.call('READ', { id: n }), await one.http('READ', { id: n })]).toEqual([n, n])
  },
  options: {
    create: otel,
    valid: { remoteParent: 'link', queryText: true, tracerProvider },
    refused: { remoteParent: ['follow', true], queryText: ['yes'], tracerProvider: [{}, null, true] },
  },
})
