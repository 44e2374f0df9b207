import { type App, BootError, createApp, guard, PermissionDeniedError, type Plugin, reply, route } from '@twinwire/core'
import { createTestApp, fakeIdentity, onTransports } from '@twinwire/core/testing'
import { Gauge, Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { metrics } from './index.ts'
import { readScrape } from './testing/index.ts'

const ping = route({ http: 'GET /ping', access: 'public', handler: () => reply.text('pong') })
const base = { pkgIds: { PING: 1 }, routes: { PING: ping } } as const
const openMetrics = { headers: { accept: 'application/openmetrics-text;version=1.0.0,*/*;q=0.1' } }

describe('GET /metrics', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('has the metrics of core, plugins, the app and the process [defect 69]', async () => {
      const outsider: Plugin = {
        name: 'billing',
        setup: ({ instruments }) =>
          instruments
            .counter('billing_refused_total', 'Refused', { reason: ['expired'] })
            .cell({ reason: 'expired' })
            .inc(),
      }
      const { app, request, client } = await start({ ...base, plugins: [metrics({ version: '1.4.0' }), outsider] })
      app.instruments.histogram('cart_size', 'Items', [1, 10]).cell().observe(4)
      await request('GET /ping')
      await (await client()).call('PING')
      const answer = await request('GET /metrics')
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({
        'content-type': 'text/plain; version=0.0.4; charset=utf-8',
        'cache-control': 'no-store',
      })
      const scrape = readScrape(answer.text)
      expect(scrape.value('billing_refused_total', { reason: 'expired' })).toBe(1)
      expect(scrape.value('cart_size_bucket', { le: '10.0' })).toBe(1)
      expect(scrape.value('http_requests_total', { method: 'GET', endpoint: '/ping', status_code: '200' })).toBe(1)
      expect(scrape.value('http_requests_in_progress', { endpoint: '/metrics' })).toBe(1)
      expect(scrape.value('ws_message_processing_duration_seconds_count', { pkg_id: '1' })).toBe(1)
      expect(scrape.value('app_info')).toBe(1)
      expect(
        scrape.value('app_info', { version: '1.4.0', node_version: process.versions.node, environment: 'test' }),
      ).toBe(1)
      for (const name of [
        'process_cpu_seconds_total',
        'nodejs_heap_size_used_bytes',
        'nodejs_eventloop_lag_p99_seconds',
        'nodejs_gc_duration_seconds_count',
      ]) {
        expect([name, scrape.value(name)]).toEqual([name, expect.any(Number)])
      }
    })

    it('responds with OpenMetrics if the scraper prefers it', async () => {
      const { request } = await start({ ...base, plugins: [metrics()] })
      const { headers, text } = await request('GET /metrics', openMetrics)
      expect(headers['content-type']).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
      expect(text).toMatch(/\n# EOF\n$/)
      expect(text).toContain('# TYPE ws_connections counter\nws_connections_total{status="accepted"} 0\n')
      readScrape(text)
    })

    it('responds to HEAD with its headers, and with 405 to other methods', async () => {
      const { request } = await start({ ...base, plugins: [metrics({ path: '/internal/metrics' })] })
      const head = await request('HEAD /internal/metrics')
      expect([head.status, head.text]).toEqual([200, ''])
      expect((await request('POST /internal/metrics')).headers.allow).toBe('GET, HEAD, OPTIONS')
      expect((await request('GET /metrics')).status).toBe(404)
    })

    it('is protected by its guards: a role of an identity', async () => {
      const admins = guard({
        name: 'admins',
        identity: 'required',
        run: ({ identity }) => {
          if (identity?.id !== 'admin') throw new PermissionDeniedError()
        },
      })
      const plugins = [fakeIdentity(), metrics({ access: { use: [admins] } })]
      const { app, request } = await start({ ...base, plugins })
      const as = async (id?: string) =>
        (await request('GET /metrics', id === undefined ? {} : { headers: { authorization: `Bearer ${id}` } })).status
      expect([await as(), await as('ann'), await as('admin')]).toEqual([401, 403, 200])
      const described = app.describe().routes.find(({ http }) => http === 'GET /metrics')
      expect(described).toMatchObject({ access: 'authenticated' })
    })

    it('is protected by its guards: a header, without an identity', async () => {
      const secret = guard({
        name: 'secret',
        run: ({ headers }) => {
          if (headers['x-scrape'] !== 'yes') throw new PermissionDeniedError()
        },
      })
      const { request } = await start({ ...base, plugins: [metrics({ access: { use: [secret] } })] })
      expect((await request('GET /metrics')).status).toBe(403)
      expect((await request('GET /metrics', { headers: { 'x-scrape': 'yes' } })).status).toBe(200)
      expect((await request('GET /ping')).status).toBe(200)
    })

    it('is protected by networks, with the address behind the trusted proxies', async () => {
      const { request } = await start({
        ...base,
        http: { trustedProxies: ['127.0.0.1'] },
        plugins: [metrics({ access: { networks: ['10.0.0.0/8', '2001:db8::/32'] } })],
      })
      const from = async (address: string) =>
        (await request('GET /metrics', { headers: { 'x-forwarded-for': address } })).status
      expect(await from('10.9.8.7')).toBe(200)
      expect(await from('2001:db8::1')).toBe(200)
      expect(await from('11.0.0.1')).toBe(403)
      expect(await from('10.0.0.1, 11.0.0.1')).toBe(403)
      expect((await request('GET /metrics')).status).toBe(403)
      expect((await request('GET /ping')).status).toBe(200)
    })

    it('is served while the app drains, and a running scrape is finished', async () => {
      let asked = (): void => {}
      const collecting = new Promise<void>((resolve) => {
        asked = resolve
      })
      let go = (): void => {}
      const gone = new Promise<void>((resolve) => {
        go = resolve
      })
      const registry = new Registry()
      new Gauge({
        name: 'stock',
        help: 'Stock',
        registers: [registry],
        async collect() {
          asked()
          await gone
          this.set(4)
        },
      })
      const { app, request } = await start({ ...base, plugins: [metrics({ registry })] })
      const scrape = request('GET /metrics')
      await collecting
      const closed = app.close()
      go()
      const { status, text } = await scrape
      expect([status, readScrape(text).value('stock')]).toEqual([200, 4])
      await closed
    })
  })
})

describe('a separate port', () => {
  const open: { close(): Promise<void> }[] = []
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close()
  })
  const start = async (environment: 'test' | 'production' = 'test') => {
    const plugins = [metrics({ access: { port: 0 } })]
    const test = await createTestApp({
      ...base,
      environment,
      defaultAccess: 'public',
      http: { hosts: ['*'] },
      plugins,
    })
    open.push(test)
    const line = test.logs.find(({ message }) => message === 'Serving metrics')
    return { ...test, url: String(line?.fields.url) }
  }

  it('serves scrapes in both formats and nothing else; the app does not [defect 69]', async () => {
    const { url, request } = await start('production')
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/)
    const text = await fetch(url)
    expect(text.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(readScrape(await text.text()).value('app_info', { environment: 'production' })).toBe(1)
    const negotiated = await fetch(`${url}?x=1`, openMetrics)
    expect(await negotiated.text()).toMatch(/\n# EOF\n$/)
    expect(Number((await fetch(url, { method: 'HEAD' })).headers.get('content-length'))).toBeGreaterThan(1000)
    const posted = await fetch(url, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
    expect((await fetch(new URL('/ping', url))).status).toBe(404)
    expect((await request('GET /metrics')).status).toBe(404)
  })

  it('closes with the app, without waiting for an idle connection', async () => {
    const { url, close } = await start()
    await (await fetch(url)).text()
    await close()
    await expect(fetch(url)).rejects.toThrow()
  })

  it('that is taken is a boot error, and leaves nothing open', async () => {
    const { url } = await start()
    const app = createApp({
      ...base,
      log: 'fatal',
      plugins: [metrics({ access: { port: Number(new URL(url).port) } })],
    })
    await expect(app.ready()).rejects.toThrow(
      expect.objectContaining({
        code: 'unavailable_port',
        message: expect.stringContaining('choose another access.port'),
      }),
    )
    const nowhere = createApp({
      ...base,
      log: 'fatal',
      plugins: [metrics({ access: { port: 0, host: '203.0.113.1' } })],
    })
    await expect(nowhere.ready()).rejects.toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})

describe('at boot', () => {
  const boot = async (plugin: Plugin, more: object = {}): Promise<BootError> => {
    const app: App = createApp({ ...base, log: 'fatal', environment: 'test', plugins: [plugin], ...more })
    const error: unknown = await app.ready().then(
      () => app.close().then(() => null),
      (thrown: unknown) => thrown,
    )
    if (!(error instanceof BootError)) throw new Error(`Not a BootError: ${String(error)}`)
    return error
  }

  it('a duplicate name in the registry is refused', async () => {
    const registry = new Registry()
    new Gauge({ name: 'app_info', help: 'Theirs', registers: [registry] })
    expect(await boot(metrics({ registry }))).toMatchObject({
      code: 'duplicate_instrument',
      message: 'metrics(): the name app_info of the registry is already used: rename it in the registry',
    })
    const doubled = new Registry()
    new Gauge({ name: 'process_open_fds', help: 'Theirs', registers: [doubled] })
    expect((await boot(metrics({ registry: doubled }))).message).toContain('set nodeDefaults: false')
  })

  it('an invalid network is refused', async () => {
    const error = await boot(metrics({ access: { networks: ['home'] } }))
    expect(error).toMatchObject({
      code: 'bad_option',
      message:
        "metrics({ access: { networks } }): entry 1 must be an IP address or a CIDR network, such as 10.0.0.0/8, received 'home'",
    })
  })

  it('a guard that requires an identity is refused without a plugin that provides one', async () => {
    const who = guard({ name: 'who', identity: 'required', run: () => {} })
    expect((await boot(metrics({ access: { use: [who] } }))).code).toBe('missing_identity_owner')
  })

  it('the doctor reports who may scrape, and boot errors', async () => {
    const examine = async (plugin: Plugin, environment: 'test' | 'production' = 'test') => {
      const app = createApp({
        ...base,
        log: 'fatal',
        environment,
        defaultAccess: 'public',
        http: { hosts: ['*'] },
        plugins: [plugin],
      })
      return (await app.doctor()).findings.find(({ check }) => check === 'metrics')
    }
    const networks = { access: { networks: ['10.0.0.0/8'] } }
    expect(await examine(metrics(networks))).toMatchObject({ level: 'ok', message: '/metrics is served to 10.0.0.0/8' })
    expect(await examine(metrics({ access: { port: 9464 } }))).toMatchObject({
      message: '/metrics is served on the separate port 127.0.0.1:9464',
    })
    expect(await examine(metrics(), 'production')).toMatchObject({ level: 'error' })
  })
})

it('nodeDefaults: false leaves the metrics of the process out', async () => {
  const { request, close } = await createTestApp({ ...base, plugins: [metrics({ nodeDefaults: false })] })
  const scrape = readScrape((await request('GET /metrics')).text)
  expect([...scrape.families.keys()].filter((name) => /^(?:nodejs|process)_/.test(name))).toEqual([])
  expect(scrape.value('app_info', { version: 'unknown' })).toBe(1)
  await close()
})
