// The programs of docs_site/coming-from: the same requests to theirs and to ours, and the answers that the pages name.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { App } from '@twinwire/core'
import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { runNode } from '../support/run-node.ts'
import { freePort } from '../support/service.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const page = await readBlocks('coming-from')
const { folder } = page
const load = (file: string) => import(`${folder}/${file}`)

interface Sent {
  readonly send: string
  readonly token?: string
  readonly json?: unknown
}
interface Server {
  readonly url: string
  readonly close: () => Promise<unknown>
}

const opened: Server[] = []
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close()
})
const opens = (server: Server): string => {
  opened.push(server)
  return server.url
}

async function send(url: string, { send, token, json }: Sent): Promise<{ status: number; body: unknown }> {
  const [method = '', path = ''] = send.split(' ')
  const headers = {
    ...(token !== undefined && { authorization: token }),
    ...(json !== undefined && { 'content-type': 'application/json' }),
  }
  const answer = await fetch(url + path, { method, headers, body: json === undefined ? null : JSON.stringify(json) })
  return { status: answer.status, body: await answer.json() }
}

/** Statuses of both, for each request; where they succeed, the bodies must be equal. */
async function compare(
  theirs: string,
  ours: string,
  requests: readonly Sent[],
): Promise<(readonly [number, number])[]> {
  const statuses: (readonly [number, number])[] = []
  for (const request of requests) {
    const [their, our] = [await send(theirs, request), await send(ours, request)]
    if (their.status < 300 || our.status < 300) expect({ request, ...our }).toEqual({ request, ...their })
    statuses.push([their.status, our.status])
  }
  return statuses
}

const tokens = new Map([['Bearer ada', 'ada']])
const token = 'Bearer ada'

async function openOurs(file: string): Promise<string> {
  const { createOurs } = await load(file)
  const app = createOurs(tokens)
  const { port } = await app.listen({ port: 0 })
  return opens({ url: `http://127.0.0.1:${port}`, close: () => app.close() })
}

describe('the programs of coming-from', () => {
  testBlocks(page)

  const openFastify = async (): Promise<string> => {
    const { createTheirs } = await load('fastify/theirs.ts')
    const app = createTheirs(tokens)
    return opens({ url: await app.listen({ port: 0 }), close: () => app.close() })
  }

  it('fastify: both answer as the page says', async () => {
    const [theirs, ours] = [await openFastify(), await openOurs('fastify/ours.ts')]
    const statuses = await compare(theirs, ours, [
      { send: 'POST /notes', token, json: { text: 'milk' } },
      { send: 'POST /notes', token, json: { text: 'bread', extra: 1 } },
      { send: 'GET /notes/1' },
      { send: 'GET /notes/9' },
      { send: 'POST /notes', json: { text: 'milk' } },
      { send: 'POST /notes', token, json: { text: '' } },
      { send: 'GET /notes/x' },
      { send: 'PUT /notes/1', json: {} },
    ])
    expect(statuses).toEqual([
      [201, 201],
      [201, 201],
      [200, 200],
      [404, 404],
      [401, 401],
      [400, 422],
      [400, 422],
      [404, 405],
    ])
    expect(await send(theirs, { send: 'POST /notes', token, json: { text: 5 } })).toMatchObject({
      status: 201,
      body: { text: '5' },
    })
    expect(await send(ours, { send: 'POST /notes', token, json: { text: 5 } })).toMatchObject({ status: 422 })
    expect((await send(theirs, { send: 'GET /notes/9' })).body).toEqual({
      statusCode: 404,
      error: 'Not Found',
      message: 'Note not found',
    })
    expect((await send(ours, { send: 'GET /notes/9' })).body).toEqual({
      error: { code: 'not_found', msg: 'Note not found', details: null },
    })
    expect((await send(theirs, { send: 'POST /notes', token, json: { text: '' } })).body).toMatchObject({
      code: 'FST_ERR_VALIDATION',
    })
  })

  /** By the compiler, with the settings of a NestJS project: its container reads the types of parameters. */
  const compileNest = async (): Promise<string> => {
    const settings = {
      extends: '../../../tsconfig.base.json',
      compilerOptions: {
        target: 'es2023',
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
        noEmit: false,
        allowImportingTsExtensions: false,
        verbatimModuleSyntax: false,
        erasableSyntaxOnly: false,
        rootDir: '.',
        outDir: 'compiled',
      },
      files: ['theirs.ts'],
    }
    await writeFile(`${folder}/nestjs/tsconfig.json`, JSON.stringify(settings))
    const tsc = await runNode([`${root}/node_modules/typescript/bin/tsc`, '-p', `${folder}/nestjs`], { cwd: folder })
    expect(tsc).toEqual({ code: 0, output: '' })
    return 'nestjs/compiled/theirs.js'
  }

  it('nestjs: both answer as the page says', async () => {
    const { createTheirs } = await load(await compileNest())
    const nest = await createTheirs(tokens)
    await nest.listen(0, '127.0.0.1')
    const theirs = opens({ url: await nest.getUrl(), close: () => nest.close() })
    const ours = await openOurs('nestjs/ours.ts')
    const statuses = await compare(theirs, ours, [
      { send: 'POST /notes', token, json: { text: 'milk' } },
      { send: 'POST /notes', token, json: { text: 'bread', extra: 1 } },
      { send: 'GET /notes/1' },
      { send: 'GET /notes/9' },
      { send: 'POST /notes', json: { text: 'milk' } },
      { send: 'POST /notes', token, json: { text: '' } },
      { send: 'GET /notes/x' },
      { send: 'PUT /notes/1', json: {} },
    ])
    expect(statuses).toEqual([
      [201, 201],
      [201, 201],
      [200, 200],
      [404, 404],
      [401, 401],
      [400, 422],
      [400, 422],
      [404, 405],
    ])
    expect((await send(theirs, { send: 'GET /notes/9' })).body).toEqual({
      message: 'Note not found',
      error: 'Not Found',
      statusCode: 404,
    })
    expect((await send(theirs, { send: 'POST /notes', token, json: { text: '' } })).body).toMatchObject({
      message: [expect.any(String)],
    })
  }, 60_000)

  it('gateway.ts has its own routes, and passes everything else on', async () => {
    const { createGateway } = await load('gateway.ts')
    const gateway = createGateway(await openFastify())
    const { port } = await gateway.listen({ port: 0 })
    const url = opens({ url: `http://127.0.0.1:${port}`, close: () => gateway.close() })
    expect(await send(url, { send: 'GET /version' })).toEqual({ status: 200, body: { version: 2 } })
    const note = { status: 201, body: { id: 1, text: 'milk', by: 'ada' } }
    expect(await send(url, { send: 'POST /notes', token, json: { text: 'milk' } })).toEqual(note)
    expect((await send(url, { send: 'GET /notes/9?a=1' })).body).toMatchObject({ statusCode: 404 })
  })

  describe('with users', () => {
    let issuer: TestIssuer
    beforeAll(async () => {
      issuer = await createTestIssuer({ users: [{ username: 'ada', roles: [] }] })
    })
    afterAll(() => issuer.stop())
    const options = () => ({ issuer: issuer.issuer, audience: issuer.audience, clientId: issuer.clientId })
    const listen = async (app: App): Promise<string> => {
      const { port } = await app.listen({ port: 0 })
      return opens({ url: `http://127.0.0.1:${port}`, close: () => app.close() })
    }

    it('trpc: both clients get the same from one app that has both', async () => {
      const [{ createBoth }, { createTheirClient }, { createOurClient }, { createCaller }] = await Promise.all(
        ['trpc/moving.ts', 'trpc/their-client.ts', 'trpc/our-client.ts', 'trpc/theirs.ts'].map(load),
      )
      const app = createBoth(options())
      const url = await listen(app)
      const theirs = createTheirClient(`${url}/trpc`, issuer.token('ada'))
      const ours = createOurClient(url, app.manifest(), issuer.token('ada'))
      const received: unknown[] = []
      await ours.subscribe('notes', { onEvent: ({ data }: { data: unknown }) => received.push(data) }).ready

      const note = { id: 1, text: 'milk', by: 'ada' }
      expect(await theirs.addNote.mutate({ text: 'milk' })).toEqual(note)
      expect(await ours.call('ADD_NOTE', { text: 'milk' })).toEqual(note)
      expect(await theirs.getNote.query({ id: 1 })).toEqual(note)
      expect(await ours.call('GET_NOTE', { id: 1 })).toEqual(note)
      await expect.poll(() => received).toEqual([note])

      const caller = createCaller({ user: 'ada' })
      const added = await caller.notesAdded()
      const next = added[Symbol.asyncIterator]().next()
      await caller.addNote({ text: 'milk' })
      expect((await next).value).toMatchObject(['1', note, expect.anything()])

      const codes = (call: () => Promise<unknown>) =>
        call().then(
          () => null,
          (error) => [error.data?.code ?? error.code, error.data?.httpStatus ?? null],
        )
      expect(await codes(() => theirs.getNote.query({ id: 9 }))).toEqual(['NOT_FOUND', 404])
      expect(await codes(() => ours.call('GET_NOTE', { id: 9 }))).toEqual(['not_found', null])
      expect(await codes(() => theirs.addNote.mutate({ text: '' }))).toEqual(['BAD_REQUEST', 400])
      expect(await codes(() => ours.call('ADD_NOTE', { text: '' }))).toEqual(['validation_error', null])
      ours.close()
      expect((await send(url, { send: 'POST /trpc/addNote', json: { text: 'milk' } })).status).toBe(401)
      expect((await send(url, { send: 'POST /notes', json: { text: 'milk' } })).status).toBe(401)
    })

    it('socket-io: what one server says, clients of both receive', async () => {
      const [{ createBoth }, { enterTheirs }, { enterOurs }] = await Promise.all(
        ['socket-io/both.ts', 'socket-io/their-client.ts', 'socket-io/our-client.ts'].map(load),
      )
      const { app, io } = createBoth(new Map([['ada', 'ada']]), options())
      const url = await listen(app)
      const port = await freePort()
      io.listen(port)
      opens({ url: '', close: () => io.close() })
      const received: { theirs: unknown[]; ours: unknown[] } = { theirs: [], ours: [] }
      const theirs = await enterTheirs(`http://127.0.0.1:${port}`, 'ada', (message: unknown) =>
        received.theirs.push(message),
      )
      const ours = await enterOurs(url, app.manifest(), issuer.token('ada'), (message: unknown) =>
        received.ours.push(message),
      )

      const message = { id: 1, chat: 'lobby', by: 'ada', text: 'hello' }
      expect(await theirs.say('hello')).toEqual({ id: 1 })
      await expect.poll(() => received).toEqual({ theirs: [message], ours: [message] })
      expect(await ours.say('hello')).toEqual({ id: 1 })
      await expect.poll(() => received).toEqual({ theirs: [message, message], ours: [message, message] })
      expect(await theirs.say('')).toEqual({ error: 'Say something' })
      await expect(ours.say('')).rejects.toMatchObject({ code: 'validation_error' })
      for (const client of [theirs, ours]) client.close()
    })
  })
})
