import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { Redis } from 'ioredis'
import postgres from 'postgres'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { isEmbeddedPostgresInstalled } from '../support/embedded-postgres.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { hasRedis, hasRedisBinary, startRedis, type TestRedis } from '../support/redis.ts'
import { freePort, serviceMissing } from '../support/service.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

async function inDatabase<T>(server: TestPostgres, run: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.url, { max: 1, connect_timeout: 5, onnotice: () => {} })
  try {
    return await run(sql)
  } finally {
    await sql.end()
  }
}

async function inRedis<T>(server: TestRedis, run: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(server.url)
  try {
    return await run(redis)
  } finally {
    redis.disconnect()
  }
}

function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

describe.skipIf(!(await hasPostgres()))('startPostgres', () => {
  it('gives every caller an empty database of its own, and drops it', async () => {
    const [first, second] = await Promise.all([startPostgres(), startPostgres()])
    try {
      expect(first.url).not.toBe(second.url)
      await inDatabase(first, (sql) => sql`CREATE TABLE authors (id int)`)
      const tables = await inDatabase(second, (sql) => sql`SELECT * FROM pg_tables WHERE schemaname = 'public'`)
      expect(tables).toHaveLength(0)

      await first.drop()
      await expect(inDatabase(first, (sql) => sql`SELECT 1`)).rejects.toMatchObject({ code: '3D000' })
    } finally {
      await Promise.all([first.stop(), second.stop()])
    }
    await first.stop()
  })

  it('drops a database with an open connection', async () => {
    const server = await startPostgres()
    const sql = postgres(server.url, { max: 1, onnotice: () => {} })
    try {
      await sql`SELECT 1`
      await server.stop()
      await expect(sql`SELECT 1`).rejects.toThrow()
    } finally {
      await sql.end()
      await server.stop()
    }
  })

  it('refuses a TEST_DATABASE_URL that does not answer, and names it', async () => {
    vi.stubEnv('TEST_DATABASE_URL', `postgres://postgres@127.0.0.1:${await freePort()}/postgres`)
    await expect(startPostgres()).rejects.toThrow('TEST_DATABASE_URL')
  })
})

describe.skipIf(!isEmbeddedPostgresInstalled())('startPostgres, embedded', () => {
  it('starts a server of its own, which the environment can name, and leaves nothing behind', async () => {
    const own = await startPostgres({ own: true })
    let folder: string | undefined
    try {
      expect(own.source).toBe('own')
      const [row] = await inDatabase(
        own,
        (sql) => sql`SELECT current_setting('data_directory') AS folder, 'É' ILIKE 'é' AS folds`,
      )
      expect(row).toMatchObject({ folds: true })
      folder = row?.folder
      expect(existsSync(String(folder))).toBe(true)

      vi.stubEnv('TEST_DATABASE_URL', own.url)
      const given = await startPostgres()
      expect(given).toMatchObject({ source: 'given' })
      expect(new URL(given.url).port).toBe(new URL(own.url).port)
      expect(given.url).not.toBe(own.url)
      await given.stop()
      expect(await isListening(own.url)).toBe(true)
    } finally {
      await own.stop()
    }
    expect(await isListening(own.url)).toBe(false)
    expect(existsSync(String(folder))).toBe(false)
  })
})

describe.skipIf(!(await hasRedis()))('startRedis', () => {
  it('gives every caller a prefix of its own, and deletes only what is under it', async () => {
    const [first, second] = await Promise.all([startRedis(), startRedis()])
    try {
      expect(first.prefix).not.toBe(second.prefix)
      await inRedis(first, (redis) => redis.set(`${first.prefix}a`, '1'))
      await inRedis(second, (redis) => redis.set(`${second.prefix}a`, '2', 'EX', 60))
      await first.drop()
      expect(await inRedis(first, (redis) => redis.get(`${first.prefix}a`))).toBeNull()
      expect(await inRedis(second, (redis) => redis.get(`${second.prefix}a`))).toBe('2')
    } finally {
      await Promise.all([first.stop(), second.stop()])
    }
    await first.stop()
  })

  it('refuses a TEST_REDIS_URL that does not answer, and names it', async () => {
    vi.stubEnv('TEST_REDIS_URL', `redis://127.0.0.1:${await freePort()}`)
    await expect(startRedis()).rejects.toThrow('TEST_REDIS_URL')
  })
})

describe.skipIf(!hasRedisBinary())('startRedis, from the PATH', () => {
  it('starts a server of its own, which the environment can name, and leaves nothing behind', async () => {
    const own = await startRedis({ own: true })
    let folder: string | undefined
    try {
      expect(own.source).toBe('own')
      folder = ((await inRedis(own, (redis) => redis.config('GET', 'dir'))) as string[])[1]
      expect(existsSync(String(folder))).toBe(true)

      vi.stubEnv('TEST_REDIS_URL', own.url)
      const given = await startRedis()
      expect(given).toMatchObject({ source: 'given', url: own.url })
      await given.stop()
      expect(await isListening(own.url)).toBe(true)
    } finally {
      await own.stop()
    }
    expect(await isListening(own.url)).toBe(false)
    expect(existsSync(String(folder))).toBe(false)
  })
})

describe('a service that cannot be had', () => {
  it('is a visible line and a skip', () => {
    vi.stubEnv('TWINWIRE_REQUIRE_SERVICES', '')
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    expect(serviceMissing('Redis', 'install it')).toBe(false)
    expect(warn).toHaveBeenCalledWith('SKIPPED, Redis cannot be had here: install it')
    warn.mockRestore()
  })

  it('fails where services are required', () => {
    vi.stubEnv('TWINWIRE_REQUIRE_SERVICES', '1')
    expect(() => serviceMissing('Redis', 'install it')).toThrow('Redis cannot be had here: install it')
  })
})
