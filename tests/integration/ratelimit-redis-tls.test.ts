import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Certificate, createCertificate } from '../support/certificate.ts'
import { openRedisStore, toCharge, toRule } from '../support/limit-store.ts'
import { hasOwnRedis } from '../support/redis.ts'
import { type RedisServer, startRedisServer } from '../support/redis-server.ts'

const charge = toCharge(toRule({ points: 10, periodMs: 3_600_000 }), 'ada')

describe.skipIf(!hasOwnRedis())('a Redis behind TLS', () => {
  let server: RedisServer
  let certificate: Certificate
  let ca: string
  let url: string

  beforeAll(async () => {
    certificate = createCertificate()
    ca = certificate.ca
    server = await startRedisServer({ requirepass: 'secret' }, certificate)
    url = `rediss://:secret@localhost:${server.port}`
  })
  afterAll(async () => {
    await server?.stop()
    certificate?.remove()
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
