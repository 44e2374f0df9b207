// An app whose calls are recorded, in a process that a test kills: rows that do not fit in its short queue go to files.
import process from 'node:process'
import { closeOnSignals, createApp, route } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { audit } from '@twinwire/plugin-audit'
import * as v from 'valibot'

const { AUDIT_TEST_URL: url = '', AUDIT_TEST_FOLDER: spillFolder = '' } = process.env
const app = createApp({
  pkgIds: { NOTE: 1 },
  routes: { NOTE: route({ http: 'POST /notes', input: v.object({ n: v.number() }), handler: ({ n }) => n }) },
  environment: 'test',
  defaultAccess: 'public',
  plugins: [
    database({ url }),
    audit({ queueSize: 5, batchMs: 50, overflow: 'spill', spillFolder, writeTimeoutMs: 1000 }),
  ],
})
closeOnSignals(app)
const { port } = await app.listen({ port: 0 })
console.log(JSON.stringify({ port }))
