// The command line, as it is installed: `npx twinwire` compares what an app serves with what it served.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { openapi } from '@twinwire/plugin-openapi'
import * as v from 'valibot'

type Entries = Parameters<typeof v.object>[0]

const folder = mkdtempSync(join(tmpdir(), 'twinwire-releases-'))
try {
  const old = await describe('old.json', { name: v.string() })
  const now = await describe('new.json', { name: v.string(), country: v.string() })
  assert.deepEqual(diff(old, old), { status: 0, stdout: 'AsyncAPI: no changes\n' })
  const { status, stdout } = diff(old, now)
  assert.equal(status, 1)
  assert.match(stdout, /ADD \(1\)\n {4}`data\.country` is now required: clients that do not send it get status_code 2/)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function describe(name: string, entries: Entries): Promise<string> {
  const add = route({ access: 'public', input: v.object(entries), handler: () => 1 })
  const { request, close } = await createTestApp({ pkgIds: { ADD: 1 }, routes: { ADD: add }, plugins: [openapi()] })
  const path = join(folder, name)
  writeFileSync(path, (await request('GET /asyncapi.json')).text)
  await close()
  return path
}

function diff(old: string, now: string): { status: number | null; stdout: string } {
  const { status, stdout } = spawnSync('npx', ['--no-install', 'twinwire', 'api', 'diff', old, now], {
    encoding: 'utf8',
  })
  return { status, stdout }
}
