import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'
import { freePort } from '../support/service.ts'

const charge = toCharge(toRule({ points: 10, periodMs: 3_600_000 }), 'ada')

describe.skipIf(!hasOwnRedis())('a Redis behind TLS', () => {
  let server: RedisServer
  let folder: string
  let ca: string
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'twinwire-redis-tls-'))
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
    execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
    ])
    ca = readFileSync(cert, 'utf8')
    const tlsPort = await freePort()
    server = await startRedisServer({
      'tls-port': tlsPort,
      'tls-cert-file': cert,
      'tls-key-file': key,
      'tls-auth-clients': 'no',
      requirepass: 'secret',
    })
    url = `rediss://:secret@localhost:${tlsPort}`
  })
  afterAll(async () => {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  })

  it('accepts a rediss:// url with its password and the CA of its certificate', async () => {
    const store = await openRedisStore({ url, tls: { ca }, commandTimeoutMs: 10_000 })
    expect(await store.consume([charge])).toMatchObject({ allowed: true })
    await store.close()
  })

  it('is refused when its certificate has an unknown CA or another name', async () => {
    for (const tls of [{}, { ca, servername: 'elsewhere' }]) {
      const store = await openRedisStore({ url, tls })
      await expect(store.consume([charge])).rejects.toMatchObject({ code: 'not_connected' })
      expect(store.logs).toMatchObject([
        {
          level: 'warn',
          message: 'Cannot connect to Redis',
          fields: { reason: expect.stringMatching(/certificate|altnames/) },
        },
      ])
      await store.close()
    }
  })
})
