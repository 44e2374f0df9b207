// The blocks of docs_site/once.md and docs_site/outbox.md, with the tables that drizzle-kit makes of them.
import { readdir, readFile, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { AnyRoute, App } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks } from '../support/page-program.ts'
import { runNode } from '../support/run-node.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const page = await readBlocks('once-page')
const { folder } = page
const kit = fileURLToPath(new URL('../node_modules/drizzle-kit/bin.cjs', import.meta.url))

async function generate(schema: string, out: string): Promise<string> {
  const args = [kit, 'generate', '--dialect=postgresql', `--schema=./${schema}`, `--out=./${out}`]
  const made = await runNode(['--conditions=@twinwire/source', ...args], { cwd: folder })
  expect(made, made.output).toMatchObject({ code: 0 })
  const [file = ''] = (await readdir(`${folder}/${out}`)).filter((name) => name.endsWith('.sql'))
  return readFile(`${folder}/${out}/${file}`, 'utf8')
}

describe('the blocks of the pages about once() and the outbox', () => {
  testBlocks(page)
  beforeAll(async () => {
    await rm(folder, { recursive: true, force: true })
    await writeBlocks(folder, page)
  })

  it('a repeated call has one effect and one reply', async () => {
    const [sql = '', ...others] = shownBlocks(readPage('once'), 'sql')
    expect(others).toEqual([])
    expect(await generate('schema.ts', 'once')).toContain(sql)
    const { placeOrder } = (await import(/* @vite-ignore */ `${folder}/place-order.ts`)) as { placeOrder: AnyRoute }
    const { request, close } = await createTestApp({
      pkgIds: { PLACE_ORDER: 1 },
      routes: { PLACE_ORDER: placeOrder },
      plugins: [fakeIdentity(), database({ url: 'pglite://memory', migrations: `${folder}/once` })],
    })
    onTestFinished(() => close())
    const send = async (key: string, item: string): Promise<string> => {
      const headers = { authorization: 'Bearer ann', 'idempotency-key': key }
      return (await request('POST /orders', { headers, json: { item } })).text
    }
    const [reply, mismatch] = shownBlocks(readPage('once'), 'json')
    const key = /'idempotency-key: ("[^']+")'/.exec(readPage('once'))?.[1] ?? ''
    expect([await send(key, 'book'), await send(key, 'book'), await send(key, 'pen')]).toEqual([reply, reply, mismatch])
    expect(JSON.parse(await send('"order-8"', 'book'))).toMatchObject({ id: 2 })
  })

  it('an event of the outbox reaches those that follow the topic', async () => {
    await generate('authors-schema.ts', 'drizzle')
    vi.stubEnv('DATABASE_URL', 'pglite://memory')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { app } = (await import(/* @vite-ignore */ `${folder}/app.ts`)) as { app: App }
    const { url } = await app.listen({ port: 0 })
    onTestFinished(() => app.close())
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    const frames: unknown[] = []
    socket.on('message', (bytes) => frames.push(JSON.parse(String(bytes))))
    socket.once('open', () => socket.send(JSON.stringify({ type: 'subscribe', topic: 'authors', id: 1 })))
    await vi.waitFor(() => expect(frames).toHaveLength(1), 30_000)
    const created = await fetch(`${url}/authors`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"name":"Ursula"}',
    })
    expect([created.status, await created.json()]).toEqual([201, { id: 1, name: 'Ursula' }])
    await vi.waitFor(
      () => expect(frames.at(-1)).toMatchObject({ pkg_id: 100, data: { id: 1, name: 'Ursula' } }),
      30_000,
    )
    socket.close()
  })
})
