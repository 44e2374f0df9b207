// What both wires need of a proxy: the same tests for nginx, HAProxy and Caddy, with the configurations of docs_site/behind-a-proxy.md.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type Certificate, createCertificate } from './certificate.ts'
import {
  downloadPieces,
  type ProxiedApp,
  type ProxiedAppOptions,
  proxiedPkgIds,
  startProxiedApp,
} from './proxied-app.ts'
import { clientAddress, open, openSocket, type ProxySocket, send, sendHttp2 } from './proxy-client.ts'
import { drainTest } from './proxy-drain.ts'
import type { TestProxy, TestProxyOptions } from './proxy-process.ts'
import { dialTcp } from './tcp-peer.ts'

export interface ProxySuiteOptions {
  readonly name: string
  readonly start: (options: TestProxyOptions) => Promise<TestProxy>
  /** Is a client whose `X-Forwarded-For` is forged passed on with the forged entry in front? */
  readonly keepsForged: boolean
  /** Does its configuration refuse large bodies itself? */
  readonly hasBodyLimit: boolean
  /** Does it cut a connection without traffic? */
  readonly hasIdleLimit: boolean
  /** What the client of a WebSocket sees when the proxy is reloaded. Null: nothing, the old process keeps it. */
  readonly reloadCode: number | null
  /** Does it pass on HTTP/1.0 and trailer fields as they are? The app answers both with 505. */
  readonly passesOn: boolean
  /** Of a request when no node is left: one of them, depending on whether a health check has seen it. */
  readonly statusWithoutNode: readonly number[]
}

export function proxySuite(suite: ProxySuiteOptions): void {
  const { name, start, keepsForged, hasBodyLimit, hasIdleLimit, reloadCode, passesOn } = suite
  describe(`behind ${name}`, () => {
    let certificate: Certificate
    let app: ProxiedApp
    let proxy: TestProxy

    beforeAll(async () => {
      certificate = createCertificate()
      app = await startProxiedApp({ websocket: { compression: 'shared' } })
      proxy = await start({ targets: [app.port], certificate })
    })
    afterAll(async () => {
      await proxy?.stop()
      await app?.close()
      certificate?.remove()
    })

    async function behind(options: ProxiedAppOptions, more: Partial<TestProxyOptions> = {}) {
      const other = await startProxiedApp(options)
      onTestFinished(() => other.close())
      const front = await start({ targets: [other.port], certificate, ...more })
      onTestFinished(() => front.stop())
      return { app: other, proxy: front }
    }

    test('both wires, with TLS and without: the address of the client, whether it used TLS, the correlation id', async () => {
      for (const secure of [true, false]) {
        const [port, tls] = secure ? [proxy.securePort, { ca: certificate.ca }] : [proxy.port, {}]
        const { status, headers, text } = await send(port, '/who', {
          ...tls,
          headers: { 'x-correlation-id': 'order-4711' },
        })
        expect([status, JSON.parse(text)]).toEqual([200, { address: clientAddress, id: 'order-4711', port: app.port }])
        expect([headers['x-correlation-id'], 'strict-transport-security' in headers]).toEqual(['order-4711', secure])
        const socket = await openSocket(port, '/ws', {
          ...tls,
          origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`,
        })
        expect(await socket.call(proxiedPkgIds.WHO)).toMatchObject({ status_code: 0, data: { address: clientAddress } })
        socket.socket.close()
        await socket.closed
      }
    })

    test('HTTP/2 of the client, to HTTP/1.1 of the app', async () => {
      const { status, text, headers } = await sendHttp2(proxy.securePort, '/who', { ca: certificate.ca })
      expect([status, JSON.parse(text)]).toMatchObject([200, { address: clientAddress }])
      expect(headers['strict-transport-security']).toBeDefined()
      const posted = await sendHttp2(proxy.securePort, '/echo', {
        ca: certificate.ca,
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'ü'.repeat(1000) }),
      })
      expect([posted.status, posted.text]).toEqual([200, '{"length":1000}'])
    })

    test('what a client forges does not count: neither its address nor its TLS', async () => {
      const forged = { 'x-forwarded-for': '6.6.6.6', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'evil.example' }
      const { text, headers } = await send(proxy.port, '/who', { headers: forged })
      expect(JSON.parse(text)).toMatchObject({ address: clientAddress })
      expect(headers['strict-transport-security']).toBeUndefined()
    })

    test('a proxy that is not in trustedProxies is the client', async () => {
      const { proxy: front } = await behind({ trustedProxies: ['10.0.0.0/8'] })
      const forged = { 'x-forwarded-for': '6.6.6.6' }
      const { text, headers } = await send(front.securePort, '/who', { ca: certificate.ca, headers: forged })
      expect(JSON.parse(text)).toMatchObject({ address: '127.0.0.1' })
      expect(headers['strict-transport-security']).toBeUndefined()
    })

    test('with too wide a trustedProxies the forged entry wins where the proxy keeps it', async () => {
      const { proxy: front } = await behind({ trustedProxies: ['0.0.0.0/0'] })
      const { text } = await send(front.port, '/who', { headers: { 'x-forwarded-for': '6.6.6.6' } })
      expect(JSON.parse(text)).toMatchObject({ address: keepsForged ? '6.6.6.6' : clientAddress })
    })

    test('a page of another origin is refused, a Host that is not listed too; probes name one that is', async () => {
      const refused = await openSocket(proxy.port, '/ws', { origin: 'https://evil.example' }).catch(
        (error: Error) => error,
      )
      expect(String(refused)).toContain('403')
      const { proxy: front } = await behind({ hosts: ['127.0.0.1'] })
      await expect.poll(async () => (await send(front.port, '/who')).status).toBe(200)
      expect((await send(front.port, '/who', { headers: { host: 'localhost' } })).status).toBe(400)
    })

    test('uploads and downloads of many megabytes, byte by byte', async () => {
      const bytes = Buffer.concat([...downloadPieces(8)])
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      const tls = { ca: certificate.ca }
      async function* pieces() {
        for (let at = 0; at < bytes.byteLength; at += 100_000) yield bytes.subarray(at, at + 100_000)
      }
      for (const body of [bytes, pieces()]) {
        const { status, text } = await send(proxy.securePort, '/files/a', { ...tls, method: 'POST', body })
        expect([status, text]).toEqual([200, JSON.stringify({ bytes: bytes.byteLength, sha256 })])
      }
      const { text } = await send(proxy.securePort, '/download/8', tls)
      expect(createHash('sha256').update(text, 'latin1').digest('hex')).toBe(sha256)
    })

    test('Expect: 100-continue', async () => {
      const { status, text } = await send(proxy.port, '/echo', {
        method: 'POST',
        headers: { expect: '100-continue', 'content-type': 'application/json' },
        body: '{"text":"abc"}',
      })
      expect([status, text]).toEqual([200, '{"length":3}'])
    })

    test('a body that is too large for its route is the 413 of the app, if 64 KiB of it or less are left', async () => {
      const { status, text } = await send(proxy.port, '/small', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ text: 'x'.repeat(40_000) }),
      })
      expect([status, JSON.parse(text)]).toMatchObject([413, { error: { code: 'payload_too_large' } }])
    })

    test.skipIf(!hasBodyLimit)('a body that is too large for the proxy is its 413, before it was sent', async () => {
      const { status, text } = await send(proxy.port, '/echo', {
        method: 'POST',
        headers: { expect: '100-continue', 'content-type': 'application/json', 'content-length': '1100000' },
        body: JSON.stringify({ text: 'x'.repeat(1_100_000 - 11) }),
      })
      expect([status, text.includes('payload_too_large')]).toEqual([413, false])
    })

    test.each(['/events', '/lines'])('%s: the first item arrives before the second exists', async (path) => {
      for (const tls of [{}, { ca: certificate.ca }]) {
        const { body } = await open('ca' in tls ? proxy.securePort : proxy.port, path, tls)
        let text = ''
        for await (const chunk of body) {
          text += chunk
          if (text.includes('{"n":1}')) app.release()
        }
        expect(text).toContain('{"n":2}')
      }
    })

    test('compressed messages pass', async () => {
      const socket = await openSocket(proxy.port, '/ws', { perMessageDeflate: true })
      expect(socket.socket.extensions).toContain('permessage-deflate')
      expect(await socket.call(proxiedPkgIds.PAD)).toMatchObject({ data: 'pad '.repeat(20_000) })
      socket.socket.close()
      await socket.closed
    })

    test('a connection without calls is kept by the pings of the app', async () => {
      const pinging = await behind({ websocket: { pingIntervalSeconds: 1 } }, { idleSeconds: 3 })
      const silent = await behind({ websocket: { sendPings: false } }, { idleSeconds: 3 })
      const kept = await openSocket(pinging.proxy.port)
      const lost: ProxySocket[] = []
      // Twice, so that the other one has had the time of two.
      if (hasIdleLimit) {
        for (let round = 0; round < 2; round += 1) {
          const socket = await openSocket(silent.proxy.port)
          lost.push(socket)
          expect(await socket.closed).toBe(1006)
        }
        await expect.poll(() => silent.app.closes.length).toBe(2)
      } else await expect.poll(() => kept.pings).toBeGreaterThan(3)
      expect(kept.pings).toBeGreaterThan(2)
      expect(await kept.call(proxiedPkgIds.WHO)).toMatchObject({ status_code: 0 })
      expect(pinging.app.closes).toEqual([])
    })

    test('HTTP/1.0, pipelining, trailer fields, too many fields: the rows of the page', async () => {
      const fields = (count: number): string => Array.from({ length: count }, (_, n) => `x-${n}: a\r\n`).join('')
      const host = 'Host: 127.0.0.1\r\n'
      const get = (version: string, more = ''): string => `GET /who HTTP/${version}\r\n${host}${more}\r\n`
      const chunked = `POST /files/a HTTP/1.1\r\n${host}Connection: close\r\nTransfer-Encoding: chunked\r\n`
      const statuses = async (request: string): Promise<string[]> => {
        const peer = await dialTcp(proxy.port)
        peer.write(request)
        return [...(await peer.closed).matchAll(/HTTP\/1\.[01] (\d{3}) /g)].map(([, status = '']) => status)
      }
      const rows = await Promise.all([
        statuses(get('1.0')),
        statuses(`${get('1.1')}${get('1.1', 'Connection: close\r\n')}`),
        statuses(`${chunked}\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n`),
        statuses(`${chunked}Trailer: x-sum\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n`),
        statuses(get('1.1', `Connection: close\r\n${fields(98)}`)),
      ])
      expect(rows).toEqual(
        passesOn
          ? [['505'], ['200', '200'], ['505'], ['505'], ['431']]
          : [['200'], ['200', '200'], ['200'], ['400'], ['431']],
      )
    })

    test('a body that comes in small pieces within a second passes', async () => {
      async function* drops() {
        for (let n = 0; n < 10; n += 1) {
          await new Promise((resolve) => setTimeout(resolve, 100))
          yield Buffer.alloc(200, 'a')
        }
      }
      const { status, text } = await send(proxy.port, '/echo', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': '2011' },
        body: (async function* () {
          yield Buffer.from('{"text":"')
          yield* drops()
          yield Buffer.from('"}')
        })(),
      })
      expect([status, text]).toEqual([200, '{"length":2000}'])
    })

    drainTest(suite, () => certificate)

    test('a reload of the proxy', async () => {
      const { app: node, proxy: front } = await behind({})
      const socket = await openSocket(front.port)
      await socket.call(proxiedPkgIds.WHO)
      await front.reload()
      if (reloadCode === null) await expect.poll(() => socket.call(proxiedPkgIds.WHO)).toMatchObject({ status_code: 0 })
      else {
        expect(await socket.closed).toBe(reloadCode)
        await expect.poll(() => node.closes).toEqual([1006])
      }
      expect(await (await openSocket(front.port)).call(proxiedPkgIds.WHO)).toMatchObject({ status_code: 0 })
      expect((await send(front.port, '/who')).status).toBe(200)
    })
  })
}
