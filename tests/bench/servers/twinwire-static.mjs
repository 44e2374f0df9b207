// The same file on Twinwire, from a folder.
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { createApp, staticFiles } from '@twinwire/core'
import { serve } from '../lib/serve.mjs'
import { staticFile } from './file.mjs'

const root = mkdtempSync(join(tmpdir(), 'twinwire-bench-'))
process.on('exit', () => rmSync(root, { recursive: true, force: true }))
const path = join(root, 'file.bin')
writeFileSync(path, staticFile)
// One that was changed just now is not kept in memory.
utimesSync(path, 1_700_000_000, 1_700_000_000)

const app = createApp({
  pkgIds: {},
  routes: {},
  endpoints: [staticFiles({ root, prefix: '/assets', access: 'public' })],
  defaultAccess: 'public',
  http: { hosts: ['127.0.0.1'] },
  log: 'error',
})

await serve(async () => (await app.listen({ port: 0 })).port)
