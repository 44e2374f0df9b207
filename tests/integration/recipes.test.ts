// The programs of docs_site/recipes run, and do what their pages say.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@twinwire/client'
import type { App } from '@twinwire/core'
import { type Database, database } from '@twinwire/core/database'
import { fakeIdentity } from '@twinwire/core/testing'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { WebSocket } from 'ws'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { originOf, programEnv } from '../support/page-origin.ts'
import { startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('recipes')
const { folder } = page
const load = (file: string) => import(`${folder}/${file}`)
const embedded = (onStart: (db: Database) => Promise<void>) => database({ url: 'pglite://memory', onStart })

async function listen(app: App): Promise<string> {
  const { port } = await app.listen({ port: 0 })
  onTestFinished(() => app.close())
  return `http://127.0.0.1:${port}`
}

/** Status and body of an answer; with `who` by that user. */
async function send(
  url: string,
  sent: string,
  { who, json, raw, headers }: { who?: string; json?: unknown; raw?: string; headers?: object } = {},
) {
  const [method = '', path = ''] = sent.split(' ')
  const body = json === undefined ? raw : JSON.stringify(json)
  const answer = await fetch(url + path, {
    method,
    body: body ?? null,
    headers: {
      ...(who !== undefined && { authorization: `Bearer ${who}` }),
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...headers,
    },
  })
  return { status: answer.status, body: await answer.json() }
}

function connect(app: App, url: string, who: string) {
  class Socket extends WebSocket {
    constructor(address: string | URL) {
      super(address, { headers: { authorization: `Bearer ${who}` } })
    }
  }
  const client = createClient({ url, manifest: app.manifest(), WebSocket: Socket })
  onTestFinished(() => client.close())
  return client
}

describe('the recipes', () => {
  testBlocks(page)

  it('chat: who is there, what was said, and what is said', async () => {
    const [{ createChat, createTables }, { enterChat }] = [await load('chat.ts'), await load('chat-page.ts')]
    const app = createChat([fakeIdentity(), embedded(createTables)])
    const url = await listen(app)
    await send(url, 'POST /chats/lobby/messages', { who: 'ann', json: { text: 'first' } })
    const ben = await enterChat(connect(app, url, 'ben'), 'lobby')
    expect([...ben.messages.values()]).toMatchObject([{ id: 1, author: 'ann', text: 'first' }])
    expect(await ben.who()).toMatchObject([{ identity: 'ben', info: { name: 'ben' } }])
    expect((await send(url, 'POST /chats/lobby/messages', { who: 'ann', json: { text: 'second' } })).status).toBe(201)
    await expect.poll(() => ben.messages.size).toBe(2)
    expect((await send(url, 'POST /chats/lobby/messages', { json: { text: 'x' } })).status).toBe(401)
  })

  it('upload-progress: a whole file, and how far it is', async () => {
    const { createUploads, diskStore } = await load('upload-progress.ts')
    const files = await mkdtemp(join(tmpdir(), 'recipe-'))
    onTestFinished(() => rm(files, { recursive: true, force: true }))
    const app = createUploads(diskStore(files), [fakeIdentity()])
    const url = await listen(app)
    const [id, content] = [randomUUID(), randomBytes(5_000_000)]
    const told: { received: number; done: boolean }[] = []
    await connect(app, url, 'ann').subscribe(`upload:${id}`, { onEvent: ({ data }) => told.push(data as never) }).ready
    const headers = { authorization: 'Bearer ann' }
    const answer = await fetch(`${url}/uploads/${id}`, { method: 'PUT', body: content, headers })
    expect([answer.status, await answer.json()]).toEqual([201, { id, bytes: 5_000_000 }])
    expect((await readFile(join(files, id))).equals(content)).toBe(true)
    await expect.poll(() => told.at(-1)).toMatchObject({ id, received: 5_000_000, total: 5_000_000, done: true })
    expect(told.length).toBeGreaterThan(2)
    expect(await readdir(files)).toEqual([id])
  })

  it('webhooks: a payment counts once, and only if it is signed', async () => {
    const { createWebhooks, createTables } = await load('webhooks.ts')
    const url = await listen(createWebhooks('a secret', [fakeIdentity(), embedded(createTables)]))
    const pay = (payment: object, secret = 'a secret') => {
      const raw = JSON.stringify(payment)
      const signature = createHmac('sha256', secret).update(raw).digest('hex')
      return send(url, 'POST /webhooks/payments', {
        raw,
        headers: { 'content-type': 'application/json', 'x-signature': `sha256=${signature}` },
      })
    }
    const payment = { id: 'evt_1', account: 'ada', cents: 500 }
    const both = await Promise.all([pay(payment), pay(payment)])
    for (const repeated of [false, true]) expect(both).toContainEqual({ status: 200, body: { repeated } })
    expect(await pay(payment)).toEqual({ status: 200, body: { repeated: true } })
    expect((await pay({ ...payment, id: 'evt_2' }, 'forged')).status).toBe(401)
    expect((await pay({ ...payment, id: 'evt_3', account: 'eve' })).status).toBe(422)
    expect((await pay({ ...payment, id: 'evt_3' })).body).toEqual({ repeated: false })
  })

  it('slow-service: waits a short time, then not at all, then again', async () => {
    const { createPrices, rates } = await load('slow-service.ts')
    let [asked, works] = [0, false]
    const service = createServer((_request, response) => {
      asked += 1
      if (works) response.setHeader('content-type', 'application/json').end('{"rate":2}')
    })
    await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      service.closeAllConnections()
      service.close()
    })
    const { port } = service.address() as AddressInfo
    const url = await listen(
      createPrices([rates(`http://127.0.0.1:${port}/`, { timeoutMs: 50, failures: 2, resetMs: 300 })]),
    )
    const price = () => send(url, 'GET /price?euros=3&currency=USD')
    for (let attempt = 0; attempt < 4; attempt++)
      expect(await price()).toMatchObject({ status: 503, body: { error: { code: 'unavailable' } } })
    expect(asked).toBe(2)
    works = true
    await expect.poll(price, { timeout: 10_000 }).toEqual({ status: 200, body: { price: 6 } })
  })

  it('soft-delete: of two who edit one wins, and what was deleted can be restored', async () => {
    const { createDocuments, createTables } = await load('soft-delete.ts')
    const url = await listen(createDocuments([fakeIdentity(), embedded(createTables)]))
    const as = (sent: string, json?: object) => send(url, sent, { who: 'ann', json })
    const first = { id: 1, title: 'Plan', version: 1 }
    expect(await as('POST /documents', { title: 'Plan' })).toEqual({ status: 201, body: first })
    expect(await as('PUT /documents/1', { title: 'Plan A', version: 1 })).toMatchObject({
      status: 200,
      body: { version: 2 },
    })
    expect(await as('PUT /documents/1', { title: 'Plan B', version: 1 })).toMatchObject({
      status: 409,
      body: { error: { details: { version: 2 } } },
    })
    expect(await as('DELETE /documents/1?version=2')).toMatchObject({ status: 200 })
    expect(await as('GET /documents')).toEqual({ status: 200, body: [] })
    expect(await as('PUT /documents/1', { title: 'Plan C', version: 3 })).toMatchObject({ status: 404 })
    expect(await as('POST /documents/1/restore', { version: 3 })).toMatchObject({ status: 200 })
    expect(await as('GET /documents')).toMatchObject({ body: [{ title: 'Plan A', version: 4 }] })
  })

  it('main.ts starts a recipe with users and a database', async () => {
    const issuer = await createTestIssuer({ realm: 'documents', clientId: 'documents', algorithms: ['ES256'] })
    onTestFinished(() => issuer.stop())
    let code = page.blocks.find(({ name }) => name === 'main.ts')?.code ?? ''
    // A Keycloak, a PostgreSQL and a port of the reader.
    for (const [from, to] of [
      ['https://sso.example.com', issuer.url],
      ['postgres://app:secret@127.0.0.1:5432/app', 'pglite://memory'],
      ['port: 8000', 'port: 0'],
    ] as const) {
      expect(code).toContain(from)
      code = code.replace(from, to)
    }
    await writeBlocks(folder, { blocks: [{ name: 'main.ts', code }] })
    const program = startProgram(folder, 'main.ts', programEnv)
    const url = await originOf(program)
    expect(await send(url, 'GET /documents')).toMatchObject({ status: 401 })
    const who = issuer.token({ username: 'ada' })
    const created = await send(url, 'POST /documents', { who, json: { title: 'Plan' } })
    expect(created).toEqual({ status: 201, body: { id: 1, title: 'Plan', version: 1 } })
    expect(await send(url, 'GET /documents', { who })).toEqual({ status: 200, body: [created.body] })
    await program.end()
  })

  it('changes: who, before and after', async () => {
    const { createPriceList, createTables } = await load('changes.ts')
    const url = await listen(createPriceList([fakeIdentity(), embedded(createTables)]))
    await send(url, 'PUT /prices/1', { who: 'ann', json: { cents: 120 } })
    await send(url, 'PUT /prices/1', { who: 'ben', json: { cents: 130 } })
    expect((await send(url, 'PUT /prices/9', { who: 'ben', json: { cents: 1 } })).status).toBe(404)
    expect((await send(url, 'GET /prices/1/changes', { who: 'ann' })).body).toMatchObject({
      items: [
        { by: 'ben', before: { cents: 120 }, after: { cents: 130 } },
        { by: 'ann', before: { cents: 100 }, after: { cents: 120 } },
      ],
      meta: { total: 2 },
    })
  })

  it('list: filters, sorting and pages; nothing else can be asked', async () => {
    const { createShop, createTables } = await load('list.ts')
    const url = await listen(createShop([embedded(createTables)]))
    const found = await send(url, 'GET /products?name.contains=LAMP&cents.lte=5000&inStock=true&sort=-cents&page=2')
    expect(found.body).toMatchObject({ meta: { page: 2, total: 25, pages: 2 } })
    expect(found.body).toHaveProperty('items.0', { id: 10, name: 'Lamp 10', cents: 1000, inStock: true })
    expect(await send(url, 'GET /products?supplier=secret')).toMatchObject({ status: 422 })
  })

  it('daily: once for each day', async () => {
    const { createReports, createTables } = await load('daily.ts')
    const days: string[] = []
    let now = new Date('2026-03-01T05:59:00Z')
    let failures = 1
    const run = async (day: string) => {
      if (failures-- > 0) throw new Error('The first attempt fails')
      days.push(day)
    }
    await listen(createReports({ hour: 6, now: () => now, everyMs: 10, run }, [embedded(createTables)]))
    now = new Date('2026-03-01T06:00:00Z')
    await expect.poll(() => days).toEqual(['2026-03-01'])
    now = new Date('2026-03-02T07:00:00Z')
    await expect.poll(() => days).toEqual(['2026-03-01', '2026-03-02'])
  })
})
