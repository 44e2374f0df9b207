// A driver of an application, written with public exports alone: it serves database(), and passes the suite of drivers.
import { PGlite } from '@electric-sql/pglite'
import { createApp } from '@twinwire/core'
import {
  type DatabaseDriver,
  type DriverConnection,
  type DriverResult,
  type DriverStatement,
  database,
  driverSerializers,
  type OpenDriver,
} from '@twinwire/core/database'
import { databaseDriverSuite } from '@twinwire/core/database/testing'
import { createTestLogger } from '@twinwire/core/testing'
import postgres, { type Sql } from 'postgres'
import * as vitest from 'vitest'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

vi.setConfig({ hookTimeout: 180_000, testTimeout: 120_000 })

/** The one connection of a database in this process. */
class EmbeddedConnection implements DriverConnection {
  readonly #server = new PGlite()

  get lost(): boolean {
    return this.#server.closed
  }

  async open(): Promise<void> {
    await this.#server.waitReady
    for (const type of Object.keys(this.#server.parsers)) this.#server.parsers[type] = (text: string) => text
    this.#server.serializers = { ...driverSerializers }
  }

  query({ text, parameters, types }: DriverStatement): Promise<DriverResult> {
    return this.#server.query(text, [...parameters], { rowMode: 'array', paramTypes: [...types] })
  }

  async command(text: string): Promise<string> {
    return (await this.#server.exec(text)).at(-1)?.command ?? ''
  }

  close(): Promise<void> {
    return this.#server.close()
  }
}

const openEmbedded: OpenDriver = (): DatabaseDriver => {
  const connection = new EmbeddedConnection()
  return { location: 'memory', embedded: true, connect: () => connection }
}

/** One connection to a server. */
class ServerConnection implements DriverConnection {
  readonly #client: Sql
  lost = false

  constructor(url: string) {
    this.#client = postgres(url, { max: 1, fetch_types: false, prepare: false, onclose: () => this.#onClose() })
    const { parsers, serializers } = this.#client.options
    for (const codecs of [parsers, serializers])
      for (const type of Object.keys(codecs)) Reflect.deleteProperty(codecs, type)
    Object.assign(serializers, driverSerializers)
  }

  async open(): Promise<void> {
    await this.#client`select 1`
  }

  async query({ text, parameters }: DriverStatement, signal: AbortSignal | null): Promise<DriverResult> {
    const pending = this.#client.unsafe(text, [...parameters]).values()
    const cancel = (): void => pending.cancel()
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const rows = await pending
      const fields = (rows.columns ?? []).map(({ name, type }) => ({ name, dataTypeID: type }))
      return { rows, fields }
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }

  async command(text: string): Promise<string> {
    const result = await this.#client.unsafe(text)
    return result.command ?? result.at(-1)?.['command'] ?? ''
  }

  close(): Promise<void> {
    return this.#client.end({ timeout: 0 })
  }

  #onClose(): void {
    this.lost = true
  }
}

describe('embedded', () => {
  databaseDriverSuite(vitest, { driver: openEmbedded })

  test('production refuses it without allowEmbedded', async () => {
    const start = (allowEmbedded: boolean) => {
      const log = createTestLogger()
      const plugins = [database({ driver: openEmbedded, allowEmbedded })]
      const http = { hosts: ['localhost'] }
      return createApp({
        environment: 'production',
        defaultAccess: 'public',
        log,
        pkgIds: {},
        routes: {},
        http,
        plugins,
      })
    }
    await expect(start(false).ready()).rejects.toMatchObject({ code: 'bad_option' })
    const app = start(true)
    await app.ready()
    await app.close()
  })

  test.each([
    [{}, 'database(): url is required: set it to postgres://user:password@host:5432/name, or set driver'],
    [{ url: 'pglite://memory', driver: openEmbedded }, 'database(): driver cannot be set together with url'],
    [{ driver: openEmbedded, pool: { pgBouncer: true } }, 'database(): pool.pgBouncer needs a postgres:// url'],
  ])('%o is refused', async (options, message) => {
    const app = createApp({ log: createTestLogger(), pkgIds: {}, routes: {}, plugins: [database(options)] })
    await expect(app.ready()).rejects.toThrow(message)
  })
})

describe.skipIf(!(await hasPostgres()))('of a server', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  })
  afterAll(() => server.stop())

  databaseDriverSuite(vitest, {
    driver: () => ({ location: 'a server', connect: () => new ServerConnection(server.url) }),
  })
})
