import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type App, createApp } from '../app/app.ts'
import { reply } from '../call/reply.ts'
import { route } from '../route/route.ts'
import { packet } from '../testing/suite.fixtures.ts'
import { createTestLogger } from '../testing/test-logger.ts'
import { uws } from './uws-server.ts'
import type { UwsTlsOptions } from './uws-tls.ts'

const folder = mkdtempSync(join(tmpdir(), 'twinwire-tls-'))
const at = (name: string): string => join(folder, name)
const files: UwsTlsOptions = { keyFile: at('key.pem'), certFile: at('cert.pem') }

const openssl = (...parts: string[]): unknown => execFileSync('openssl', parts, { stdio: 'pipe' })
const selfSigned = (name: string): unknown => {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
  return openssl('req', ...kind, '-keyout', at(`${name}key.pem`), '-out', at(`${name}cert.pem`), ...subject)
}

const hasOpenssl = (() => {
  try {
    openssl('version')
    return true
  } catch {
    console.warn('SKIPPED, TLS: certificates are made by openssl, which is not here')
    return false
  }
})()

describe.skipIf(!hasOpenssl)('TLS', () => {
  const apps: App[] = []
  beforeAll(() => {
    selfSigned('')
    selfSigned('other')
    openssl('ec', '-in', at('key.pem'), '-aes256', '-passout', 'pass:open sesame', '-out', at('locked.pem'))
    writeFileSync(at('nonsense.pem'), 'no key\n')
  })
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close()
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const boot = async (tls: UwsTlsOptions) => {
    const secure = route({ http: 'GET /secure', handler: (_input, call) => ({ wire: call.wire }) })
    const app = createApp({
      pkgIds: { SECURE: 1 },
      routes: { SECURE: secure },
      environment: 'test',
      log: createTestLogger(),
      transport: uws({ tls }),
      drainSpreadMs: 0,
    })
    apps.push(app)
    return app.listen({ port: 0 })
  }
  const get = (url: string) =>
    new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
      const sent = request(url, { rejectUnauthorized: false, agent: false }, (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
      })
      sent.on('error', reject).end()
    })

  test('a large answer whose reader pauses arrives whole while the app closes', async () => {
    const large = 'grüße '.repeat(3_000_000)
    const app = createApp({
      pkgIds: {},
      routes: {},
      endpoints: [route({ http: 'GET /large', access: 'public', handler: () => reply.text(large) })],
      environment: 'test',
      log: createTestLogger(),
      transport: uws({ tls: files }),
      drainTimeoutMs: 60_000,
    })
    apps.push(app)
    const { url } = await app.listen({ port: 0 })
    const arrived = new Promise<string>((resolve, reject) => {
      const sent = request(`${url}/large`, { rejectUnauthorized: false, agent: false }, (response) => {
        response.once('readable', () => {
          void app.close()
          const chunks: Buffer[] = []
          // The server has nothing left to do then but to wait for this reader.
          setImmediate(() => response.on('data', (chunk: Buffer) => chunks.push(chunk)))
          response.on('end', () => resolve(Buffer.concat(chunks).toString()))
          response.on('error', reject)
        })
      })
      sent.on('error', reject).end()
    })
    expect((await arrived) === large).toBe(true)
    await app.close()
  })

  test('https and wss, with the headers that belong to them', async () => {
    const { url, port } = await boot(files)
    expect(url).toBe(`https://127.0.0.1:${port}`)
    const { status, headers, body } = await get(`${url}/secure`)
    expect([status, body]).toEqual([200, '{"wire":"http"}'])
    expect(headers['strict-transport-security']).toBe('max-age=31536000; includeSubDomains')
    expect(headers['content-security-policy']).toContain('upgrade-insecure-requests')
    const socket = new WebSocket(`wss://127.0.0.1:${port}/ws`, { rejectUnauthorized: false })
    const reply = await new Promise<string>((resolve, reject) => {
      socket.on('open', () => socket.send(packet(1)))
      socket.on('message', (data: Buffer) => resolve(data.toString()))
      socket.on('error', reject)
    })
    expect(JSON.parse(reply)).toMatchObject({ status_code: 0, data: { wire: 'ws' } })
    const closed = new Promise<number>((resolve) => socket.on('close', resolve))
    await apps.pop()?.close()
    expect(await closed).toBe(1012)
  })

  test('an encrypted key, and the ciphers of TLS 1.2', async () => {
    const { port } = await boot({
      keyFile: at('locked.pem'),
      certFile: at('cert.pem'),
      passphrase: 'open sesame',
      ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384',
    })
    const cipher = await new Promise<string>((resolve, reject) => {
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' } as const
      const socket = tlsConnect(options, () => {
        resolve(socket.getCipher().name)
        socket.destroy()
      })
      socket.on('error', reject)
    })
    expect(cipher).toBe('ECDHE-ECDSA-AES256-GCM-SHA384')
  })

  test('a client that speaks plain HTTP is not served, and the next one is', async () => {
    const { url } = await boot(files)
    await expect(fetch(`${url.replace('https', 'http')}/secure`)).rejects.toThrow()
    expect((await get(`${url}/secure`)).status).toBe(200)
  })

  test('a client certificate of another authority is refused, and a client without one is admitted', async () => {
    const { url, port } = await boot({ ...files, caFile: at('cert.pem') })
    const { readFileSync } = await import('node:fs')
    const attempt = (name: string) =>
      new Promise<string>((resolve) => {
        const key = readFileSync(at(`${name}key.pem`))
        const cert = readFileSync(at(`${name}cert.pem`))
        const socket = tlsConnect({ host: '127.0.0.1', port, key, cert, rejectUnauthorized: false })
        socket.on('secureConnect', () => socket.write('GET /secure HTTP/1.1\r\nHost: a\r\n\r\n'))
        socket.on('data', (data: Buffer) => {
          resolve(data.toString().slice(0, 15))
          socket.destroy()
        })
        socket.on('error', () => resolve('refused'))
        socket.on('close', () => resolve('refused'))
      })
    expect(await attempt('')).toBe('HTTP/1.1 200 OK')
    expect(await attempt('other')).toBe('refused')
    expect((await get(`${url}/secure`)).status).toBe(200)
  })

  test.each<[string, object, string]>([
    ['a key that does not exist', { keyFile: at('absent.pem') }, 'uws(): tls.keyFile cannot be read: ENOENT'],
    ['a certificate that does not exist', { certFile: at('absent.pem') }, 'uws(): tls.certFile cannot be read'],
    ['a folder', { certFile: folder }, 'uws(): tls.certFile cannot be read: EISDIR'],
    ['no key', { keyFile: '' }, 'uws(): tls.keyFile must be the path of a PEM file'],
    ['a file of something else', { keyFile: at('nonsense.pem') }, 'uws(): tls cannot be used with'],
    ['the key of another certificate', { keyFile: at('otherkey.pem') }, 'uws(): tls cannot be used with'],
    ['an encrypted key without its passphrase', { keyFile: at('locked.pem') }, 'uws(): tls cannot be used with'],
    ['a wrong passphrase', { keyFile: at('locked.pem'), passphrase: 'no' }, 'uws(): tls cannot be used with'],
    ['ciphers that do not exist', { ciphers: 'NONSENSE' }, 'uws(): tls cannot be used with'],
    ['an unknown option', { keyfile: 'x' }, "uws(): tls.keyfile is not an option. Did you mean 'keyFile'?"],
  ])('%s stops the boot with a sentence', async (_name, wrong, message) => {
    await expect(boot({ ...files, ...wrong })).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad|unknown)_option$/),
      message: expect.stringContaining(message),
    })
  })
})
