// Hono and tRPC as fetch handlers on both transports, and the block about them of docs_site/uploads-and-streams.md.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { initTRPC } from '@trpc/server'
import { fetchRequestHandler } from '@trpc/server/adapters/fetch'
import { type App, type Call, fromFetch } from '@twinwire/core'
import { onTransports } from '@twinwire/core/testing'
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { HTTPException } from 'hono/http-exception'
import ts from 'typescript'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const folder = fileURLToPath(new URL('../fetch-page.generated', import.meta.url))
const kib = 1024
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

/** A promise and what settles it. */
function deferred<T = void>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

onTransports({ describe, afterEach }, ({ start }) => {
  const mount = async (app: Hono<{ Bindings: { call: Call } }>) =>
    start({
      pkgIds: {},
      routes: {},
      endpoints: [fromFetch('/api', app.fetch, { access: 'public', maxBodyBytes: 100 * kib * kib })],
    })

  describe('Hono', () => {
    const hono = () => new Hono<{ Bindings: { call: Call } }>().basePath('/api')

    it('routes, reads JSON, forms and cookies, and sets several cookies', async () => {
      const app = hono()
      app.post('/json', async (c) => c.json({ got: await c.req.json(), id: c.env.call.id }, 201))
      app.post('/form', async (c) => c.json(await c.req.parseBody()))
      app.get('/cookies', (c) => {
        setCookie(c, 'one', '1', { httpOnly: true })
        setCookie(c, 'two', '2')
        deleteCookie(c, 'old')
        return c.text(`${getCookie(c, 'a')} ${getCookie(c, 'b')}`)
      })
      app.get('/error', () => {
        throw new HTTPException(418, { message: 'short and stout' })
      })
      const { raw, request } = await mount(app)
      const json = await request('POST /api/json', { json: { a: 1 }, headers: { 'x-correlation-id': 'order-1' } })
      expect([json.status, json.json()]).toEqual([201, { got: { a: 1 }, id: 'order-1' }])
      const form = await raw.request({
        method: 'POST',
        path: '/api/form',
        headers: { 'content-type': 'multipart/form-data; boundary=x' },
        body: '--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n',
      })
      expect(text(form.body)).toBe('{"a":"b"}')
      const cookies = await raw.request({ method: 'GET', path: '/api/cookies', headers: { cookie: ['a=1', 'b=2'] } })
      expect(text(cookies.body)).toBe('1 2')
      expect(cookies.headers['set-cookie']).toBe('one=1; Path=/; HttpOnly, two=2; Path=/, old=; Max-Age=0; Path=/')
      expect((await request('GET /api/error')).text).toBe('short and stout')
      expect((await request('GET /api/nothing')).text).toBe('404 Not Found')
      expect((await request('GET /other')).status).toBe(404)
    })

    it('streams both ways at once', async () => {
      const app = hono()
      app.post('/echo', (c) => new Response(c.req.raw.body))
      const { raw } = await mount(app)
      const turns = [deferred(), deferred(), deferred()]
      async function* body(): AsyncGenerator<Uint8Array> {
        for (const [index, turn] of turns.entries()) {
          yield new Uint8Array([index])
          await turn.promise
        }
      }
      const { body: answer } = await raw.stream({ method: 'POST', path: '/api/echo', body: body() })
      const got: number[] = []
      for await (const chunk of answer) {
        for (const byte of chunk) turns[byte]?.resolve()
        got.push(...chunk)
      }
      expect(got).toEqual([0, 1, 2])
    })

    it('echoes 32 MiB, byte for byte', async () => {
      const app = hono()
      app.post('/echo', (c) => new Response(c.req.raw.body))
      const { raw } = await mount(app)
      async function* body(): AsyncGenerator<Uint8Array> {
        for (let i = 0; i < 512; i++) yield new Uint8Array(64 * kib).fill(i % 251)
      }
      const { body: answer } = await raw.stream({ method: 'POST', path: '/api/echo', body: body() })
      let at = 0
      let wrong = 0
      for await (const chunk of answer) {
        for (let i = 0; i < chunk.byteLength; i++) if (chunk[i] !== Math.floor((at + i) / (64 * kib)) % 251) wrong++
        at += chunk.byteLength
      }
      expect([at, wrong]).toEqual([512 * 64 * kib, 0])
    })

    it('is told that the client has left, and its body ends', async () => {
      const aborted = deferred<unknown>()
      const ended = deferred()
      const app = hono()
      app.get('/ticks', (c) => {
        const { signal } = c.req.raw
        signal.addEventListener('abort', () => aborted.resolve(signal.reason))
        let timer: NodeJS.Immediate
        return c.body(
          new ReadableStream({
            pull: (controller) =>
              new Promise((resolve) => {
                timer = setImmediate(() => {
                  controller.enqueue(new TextEncoder().encode('tick\n'))
                  resolve()
                })
              }),
            cancel: () => {
              clearImmediate(timer)
              ended.resolve()
            },
          }),
        )
      })
      const { raw } = await mount(app)
      const { body } = await raw.stream({ method: 'GET', path: '/api/ticks' })
      for await (const chunk of body) {
        expect(text(chunk)).toContain('tick')
        break
      }
      expect(await aborted.promise).toMatchObject({ message: expect.stringContaining('client') })
      await ended.promise
    })

    it('answers HEAD by its GET, and OPTIONS', async () => {
      const app = hono()
      app.get('/page', (c) => c.text('hello', 200, { 'content-length': '5' }))
      app.options('/page', (c) => c.body(null, 204, { allow: 'GET' }))
      const { raw } = await mount(app)
      const head = await raw.request({ method: 'HEAD', path: '/api/page' })
      expect([head.status, head.headers['content-length'], head.body.byteLength]).toEqual([200, '5', 0])
      const options = await raw.request({ method: 'OPTIONS', path: '/api/page' })
      expect([options.status, options.headers.allow]).toEqual([204, 'GET'])
    })
  })

  describe('tRPC', () => {
    const { router, procedure } = initTRPC.context<{ call: Call }>().create()
    const stopped: unknown[] = []
    const appRouter = router({
      double: procedure.input(Number).query(({ input }) => input * 2),
      address: procedure.query(({ ctx }) => ctx.call.address),
      save: procedure.input(String).mutation(({ input }) => `saved ${input}`),
      fail: procedure.query(() => {
        throw new Error('broken')
      }),
      ticks: procedure.subscription(async function* ({ signal }) {
        signal?.addEventListener('abort', () => stopped.push('aborted'))
        for (let tick = 1; ; tick++) {
          yield tick
          await new Promise((resolve) => setImmediate(resolve))
        }
      }),
    })
    const serve = () =>
      start({
        pkgIds: {},
        routes: {},
        endpoints: [
          fromFetch(
            '/trpc',
            (req, { call }) =>
              fetchRequestHandler({
                endpoint: '/trpc',
                req,
                router: appRouter,
                createContext: ({ resHeaders }) => {
                  resHeaders.append('set-cookie', 'a=1')
                  resHeaders.append('set-cookie', 'b=2')
                  return { call }
                },
              }),
            { access: 'public' },
          ),
        ],
      })

    it('answers queries, mutations, batches and errors', async () => {
      const { request } = await serve()
      const double = await request('GET /trpc/double?input=21')
      expect(double.json()).toEqual({ result: { data: 42 } })
      expect(double.headers['set-cookie']).toBe('a=1, b=2')
      const batch = await request('GET /trpc/double,address?batch=1&input=%7B%220%22%3A4%7D')
      expect(batch.json()).toEqual([{ result: { data: 8 } }, { result: { data: '127.0.0.1' } }])
      const saved = await request('POST /trpc/save', { json: 'x' })
      expect(saved.json()).toEqual({ result: { data: 'saved x' } })
      expect((await request('GET /trpc/fail')).status).toBe(500)
      expect((await request('GET /trpc/nothing')).status).toBe(404)
    })

    it('streams a subscription until its client leaves', async () => {
      const { raw } = await serve()
      const { headers, body } = await raw.stream({ method: 'GET', path: '/trpc/ticks' })
      expect(headers['content-type']).toContain('text/event-stream')
      let seen = ''
      for await (const chunk of body) {
        seen += text(chunk)
        if (seen.includes('data: 3\n')) break
      }
      expect(seen).toContain('data: 1\n')
      await expect.poll(() => stopped).toContain('aborted')
    })
  })
})

describe('the block of the page', () => {
  const file = `${folder}/mounted.ts`
  beforeAll(async () => {
    const page = await readFile(`${root}/docs_site/uploads-and-streams.md`, 'utf8')
    const [, code = ''] = /```ts\n(\/\/ mounted\.ts\n[\s\S]*?)```/.exec(page) ?? []
    await mkdir(folder, { recursive: true })
    await writeFile(file, code)
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['those of Node alone', ['lib.es2023.d.ts']],
    ['those of the DOM too', ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts']],
  ])(
    'type checks with the types of %s',
    (_which, lib) => {
      const { config } = ts.readConfigFile(`${root}/tsconfig.base.json`, ts.sys.readFile)
      const { options } = ts.parseJsonConfigFileContent(config, ts.sys, folder)
      const program = ts.createProgram([file], { ...options, lib })
      const messages = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)
      expect(messages.map((message) => ts.flattenDiagnosticMessageText(message, '\n'))).toEqual([])
    },
    300_000,
  )

  it('runs', async () => {
    const { app } = (await import(file)) as { readonly app: App }
    const { port } = await app.listen({ port: 0 })
    try {
      const get = async (path: string, init?: RequestInit): Promise<string> =>
        (await fetch(`http://127.0.0.1:${port}${path}`, init)).text()
      expect(await get('/')).toBe('<h1>Hello</h1>')
      expect(await get('/version')).toBe('{"version":1}')
      expect(await get('/address')).toBe('127.0.0.1')
      expect(await get('/echo', { method: 'POST', body: 'hello' })).toBe('hello')
      expect(await get('/trpc/role')).toContain('permission_denied')
      expect(await get('/trpc/role', { headers: { 'x-admin': 'yes' } })).toContain('"admin"')
      expect(await get('/trpc/ticks', { headers: { 'x-admin': 'yes', 'trpc-accept': 'application/jsonl' } })).toContain(
        '3',
      )
    } finally {
      await app.close()
    }
  })
})
