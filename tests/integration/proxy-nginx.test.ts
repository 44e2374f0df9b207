import { createHash } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createCertificate } from '../support/certificate.ts'
import { hasNginx } from '../support/nginx.ts'
import { startNginxProxy } from '../support/nginx-proxy.ts'
import { downloadPieces, startProxiedApp } from '../support/proxied-app.ts'
import { send } from '../support/proxy-client.ts'
import { proxySuite } from '../support/proxy-suite.ts'

describe.skipIf(!hasNginx())('nginx', () => {
  proxySuite({
    name: 'nginx',
    start: startNginxProxy,
    keepsForged: true,
    hasBodyLimit: true,
    hasIdleLimit: true,
    reloadCode: 1006,
    passesOn: false,
    statusWithoutNode: [502],
  })

  async function behind(...changes: readonly (readonly [from: string, to: string])[]) {
    const certificate = createCertificate()
    const app = await startProxiedApp()
    const proxy = await startNginxProxy({ targets: [app.port], certificate, changes })
    onTestFinished(async () => {
      await proxy.stop()
      await app.close()
      certificate.remove()
    })
    return { app, proxy }
  }

  test('bytes are the same with uploads that nginx collects first, and downloads that it does not', async () => {
    const { proxy } = await behind(
      ['    proxy_request_buffering off;\n', ''],
      ['    proxy_read_timeout', '    proxy_buffering off;\n    proxy_read_timeout'],
    )
    const bytes = Buffer.concat([...downloadPieces(4)])
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    const { text } = await send(proxy.port, '/files/a', { method: 'POST', body: bytes })
    expect(JSON.parse(text)).toEqual({ bytes: bytes.byteLength, sha256 })
    const download = await send(proxy.port, '/download/4')
    expect(createHash('sha256').update(download.text, 'latin1').digest('hex')).toBe(sha256)
  })

  // In its real time: what cuts such a body is the native server, 30 s after the start of one that is slower than 16 KB/s.
  test('a body of 70 kB at 2 kB/s is collected by nginx and served; without nginx it is cut', async () => {
    const { app, proxy } = await behind()
    async function* slowly() {
      yield Buffer.from('{"text":"')
      for (let n = 0; n < 70; n += 1) {
        await new Promise((resolve) => setTimeout(resolve, 500))
        yield Buffer.alloc(1000, 'a')
      }
      yield Buffer.from('"}')
    }
    const headers = { 'content-type': 'application/json', 'content-length': '70011' }
    const [direct, collected] = await Promise.allSettled(
      [app.port, proxy.port].map((port) => send(port, '/echo', { method: 'POST', headers, body: slowly() })),
    )
    expect(collected).toMatchObject({ status: 'fulfilled', value: { status: 200, text: '{"length":70000}' } })
    expect(direct).toMatchObject({ status: 'rejected', reason: { code: 'ECONNRESET' } })
  }, 120_000)

  test('without proxy_http_version it speaks HTTP/1.0, which is answered 505', async () => {
    const { proxy } = await behind(['    proxy_http_version 1.1;\n', ''])
    expect((await send(proxy.port, '/who')).status).toBe(505)
  })
})
