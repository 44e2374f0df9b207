// The reference application behind nginx, HAProxy and Caddy, with the configurations of docs_site/behind-a-proxy.md.
import { readFile } from 'node:fs/promises'
import { type Client, createClient } from '@twinwire/client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type { createAuthorsApp } from '../../examples/authors/src/app.ts'
import { hasCaddy, startCaddy } from '../support/caddy.ts'
import { type Certificate, createCertificate } from '../support/certificate.ts'
import { type Example, startExample } from '../support/example.ts'
import { hasHaproxy, startHaproxy } from '../support/haproxy.ts'
import { hasNginx } from '../support/nginx.ts'
import { startNginxProxy } from '../support/nginx-proxy.ts'
import { sendHttp2 } from '../support/proxy-client.ts'
import type { TestProxy } from '../support/proxy-process.ts'

type App = ReturnType<typeof createAuthorsApp>

const manifest = JSON.parse(await readFile(new URL('../../examples/authors/manifest.json', import.meta.url), 'utf8'))
const proxies = [
  ['nginx', hasNginx(), startNginxProxy],
  ['HAProxy', hasHaproxy(), startHaproxy],
  ['Caddy', hasCaddy(), startCaddy],
] as const

describe.skipIf(!proxies.some(([, isThere]) => isThere))('the example', () => {
  let example: Example
  let certificate: Certificate
  beforeAll(async () => {
    certificate = createCertificate()
    example = await startExample({
      databaseUrl: 'pglite://memory',
      // Its probes and clients name a host that is listed.
      env: {
        TRUSTED_PROXIES: '["127.0.0.1"]',
        ALLOWED_HOSTS: '["127.0.0.1"]',
        ALLOWED_WS_ORIGINS: '["https://app.example"]',
      },
    })
  })
  afterAll(async () => {
    await example?.stop('SIGKILL')
    certificate?.remove()
  })

  for (const [name, isThere, start] of proxies) {
    describe.skipIf(!isThere)(`behind ${name}`, () => {
      let proxy: TestProxy
      beforeAll(async () => {
        proxy = await start({ targets: [Number(new URL(example.url).port)], certificate })
      })
      afterAll(() => proxy?.stop())

      function clientOf(user: 'admin' | 'reader'): Client<App> {
        const client = createClient<App>({
          url: `http://127.0.0.1:${proxy.port}`,
          manifest,
          WebSocket,
          getToken: () => example.tokens?.[user] ?? null,
        })
        onTestFinished(() => client.close())
        return client
      }

      test('every route on both wires, and the events of one client at another', async () => {
        const [client, other] = [clientOf('admin'), clientOf('reader')]
        const seen: unknown[] = []
        await other.subscribe('authors', { onEvent: ({ event, data }) => seen.push([event, data.name]) }).ready
        for (const wire of ['ws', 'http'] as const) {
          const created = await client.call('CREATE_AUTHOR', { name: `${name} over ${wire}` }, { wire })
          expect(await client.call('GET_AUTHORS', { name: created.name }, { wire })).toEqual([created])
          const { items } = await client.call('GET_PAGINATED_AUTHORS', { per_page: 3 }, { wire })
          expect(items).toHaveLength(3)
          await client.call('DELETE_AUTHOR', { id: created.id }, { wire })
        }
        await expect.poll(() => seen).toContainEqual(['AUTHOR_CHANGED', `${name} over http`])
      })

      test('a token is renewed over the open socket, and calls go on', async () => {
        const client = clientOf('reader')
        await client.call('GET_AUTHORS', {})
        const losses: unknown[] = []
        client.onState((state) => losses.push(state))
        client.renewToken()
        await client.call('GET_AUTHORS', {})
        expect(losses).toEqual([])
      })

      test('pages, metrics and health over HTTP/2', async () => {
        const { ca } = certificate
        const health = await sendHttp2(proxy.securePort, '/health/ready', { ca })
        expect([health.status, JSON.parse(health.text)]).toMatchObject([200, { status: 'healthy' }])
        const authors = await sendHttp2(proxy.securePort, '/authors', {
          ca,
          headers: { authorization: `Bearer ${example.tokens?.reader}` },
        })
        expect(authors.status).toBe(200)
        expect(authors.headers['strict-transport-security']).toBeDefined()
      })
    })
  }
})
