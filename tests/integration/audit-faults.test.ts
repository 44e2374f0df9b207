// The audit log while PostgreSQL is stopped or silent, and when the process ends.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type AuditAppOptions, startAuditApp } from '../support/audit-app.ts'
import { startChildApp } from '../support/child-app.ts'
import { startCutProxy } from '../support/cut-proxy.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const patient = { timeout: 60_000, interval: 50 }

describe.skipIf(!(await hasPostgres()))('the audit log', () => {
  let server: TestPostgres
  let proxy: TcpProxy
  let url: string
  let sql: postgres.Sql

  beforeAll(async () => {
    server = await startPostgres()
    const direct = new URL(server.url)
    proxy = await startTcpProxy(Number(direct.port || 5432))
    direct.hostname = '127.0.0.1'
    direct.port = String(proxy.port)
    url = direct.href
    sql = postgres(server.url, { max: 1, onnotice: () => {} })
  })
  beforeEach(async () => {
    proxy.isRefusing = false
    await sql.unsafe('drop table if exists user_actions, effects, twinwire_once')
  })
  afterAll(async () => {
    await sql?.end()
    await proxy?.close()
    await server?.stop()
  })

  const start = async (options: Omit<AuditAppOptions, 'url'> = {}) => {
    const started = await startAuditApp({ url, ...options })
    onTestFinished(() => started.app.close())
    const { app } = started
    const send = async (from: number, to: number) => {
      for (let n = from; n <= to; n++) expect((await app.request('POST /things', { json: { n } })).status).toBe(201)
    }
    const metric = (name: string): number =>
      app.app.instruments
        .families()
        .filter((family) => family.name === name)
        .flatMap(({ cells }) => cells)
        .reduce((sum, { cell }) => sum + ('value' in cell ? cell.value : cell.count), 0)
    const health = async () => (await app.request('GET /health')).text
    return { ...started, send, metric, health }
  }
  const folderOf = async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-audit-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    return folder
  }
  const goAway = () => {
    proxy.isRefusing = true
    proxy.cut()
  }
  const storedNumbers = async () =>
    (
      await sql<
        { n: number }[]
      >`select (request_data->>'n')::int as n from user_actions where request_data ? 'n' order by 1`
    ).map(({ n }) => n)
  const numbers = (to: number) => Array.from({ length: to }, (_, i) => i + 1)

  test('drop: what fits in the queue is stored when the database is back, the rest is counted, and health says so', async () => {
    const { send, metric, health } = await start({ audit: { queueSize: 5, skip: ['/health'] } })
    await send(1, 3)
    await expect.poll(storedNumbers, patient).toEqual(numbers(3))
    goAway()
    await send(4, 12)
    expect(metric('audit_queue_size')).toBe(5)
    expect(metric('audit_logs_dropped_total')).toBe(4)
    expect(JSON.parse(await health())).toMatchObject({ audit: expect.anything() })
    await expect.poll(() => metric('audit_log_errors_total'), patient).toBeGreaterThan(0)
    proxy.isRefusing = false
    await expect.poll(storedNumbers, patient).toEqual(numbers(8))
    expect(metric('audit_logs_written_total')).toBe(8)
    expect(metric('audit_logs_total')).toBe(8)
  })

  test('spill: nothing is lost or stored twice, in files while the database is away', async () => {
    const spillFolder = await folderOf()
    const { send, metric } = await start({ audit: { queueSize: 5, overflow: 'spill', spillFolder } })
    goAway()
    await send(1, 40)
    expect(metric('audit_spilled_rows')).toBe(35)
    expect(metric('audit_logs_dropped_total')).toBe(0)
    expect(await readdir(spillFolder)).toHaveLength(1)
    proxy.isRefusing = false
    await expect.poll(storedNumbers, patient).toEqual(numbers(40))
    await expect.poll(() => readdir(spillFolder), patient).toEqual([])
    expect(metric('audit_spilled_rows')).toBe(0)
  })

  test('spill: a clean stop without a database loses nothing: the next process stores it', async () => {
    const spillFolder = await folderOf()
    const first = await start({ audit: { overflow: 'spill', spillFolder } })
    goAway()
    await first.send(1, 20)
    await first.app.close()
    expect(await readdir(spillFolder)).not.toEqual([])
    proxy.isRefusing = false
    await start({ prepare: false, audit: { overflow: 'spill', spillFolder } })
    await expect.poll(storedNumbers, patient).toEqual(numbers(20))
  })

  test('a clean stop stores what waits', async () => {
    const { app, send } = await start({ audit: { batchMs: 60_000 } })
    await send(1, 20)
    expect(await storedNumbers()).toEqual([])
    await app.close()
    expect(await storedNumbers()).toEqual(numbers(20))
  })

  test('a server that is silent: rows are stored once when it answers again, and audited calls are 503', async () => {
    const { app, send, effects, rows } = await start({ audit: { writeTimeoutMs: 500 } })
    await send(1, 2)
    await expect.poll(storedNumbers, patient).toEqual([1, 2])
    proxy.drop()
    const blackHole = proxy.target
    proxy.isRefusing = true
    await send(3, 6)
    const refused = await app.request('POST /acts-once', { json: { name: 'a' } })
    expect(refused.status).toBe(503)
    proxy.isRefusing = false
    proxy.target = blackHole
    proxy.cut()
    await expect.poll(storedNumbers, patient).toEqual(numbers(6))
    await expect.poll(async () => (await rows("resource = '/acts-once'")).length, patient).toBe(1)
    expect(await effects()).toEqual([])
  })

  test.each([
    ['does not arrive', 'error', []],
    ['arrives', 'success', ['a']],
  ] as const)('a COMMIT %s, and the database is away: its row is stored later', async (what, outcome, expected) => {
    const cutting = await startCutProxy(url)
    onTestFinished(() => cutting.close())
    let isAway = false
    cutting.toServer = (bytes) => {
      if (!isAway && !bytes.includes('commit\0')) return 'pass'
      const isFirst = !isAway
      isAway = true
      return isFirst && what === 'arrives' ? 'pass' : 'cut'
    }
    cutting.toClient = () => (isAway ? 'cut' : 'pass')
    const { app, effects, rows } = await startAuditApp({ url: cutting.url })
    onTestFinished(() => app.close())
    const answer = await app.request('POST /acts', { json: { name: 'a' } })
    expect(answer).toMatchObject({ status: 504, text: expect.stringContaining('outcome_unknown') })
    cutting.toServer = () => 'pass'
    cutting.toClient = () => 'pass'
    await expect.poll(() => rows("resource = '/acts'"), patient).toMatchObject([{ outcome }])
    expect(await effects()).toEqual(expected)
  })

  test('one row that the database refuses does not take others with it [defect 53]', async () => {
    const { send, metric } = await start({ audit: { batchMs: 300, batchSize: 50 } })
    await sql`alter table user_actions add constraint no_seven check (request_data->>'n' <> '7')`
    await send(1, 40)
    await expect.poll(storedNumbers, patient).toEqual(numbers(40).filter((n) => n !== 7))
    expect(metric('audit_logs_dropped_total')).toBe(1)
    expect(metric('audit_logs_written_total')).toBe(39)
  })

  test('spill: a process that is killed loses at most its queue, and another one stores the rest, once', async () => {
    const spillFolder = await folderOf()
    const { app } = await start()
    await app.close()
    const env = { AUDIT_TEST_URL: url, AUDIT_TEST_FOLDER: spillFolder }
    const first = await startChildApp('audit-child-app.ts', env)
    goAway()
    for (let n = 1; n <= 40; n++)
      await fetch(`http://127.0.0.1:${first.port}/notes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ n }),
      })
    const spilled = async () => {
      const files = await readdir(spillFolder)
      const contents = await Promise.all(files.map((file) => readFile(join(spillFolder, file), 'utf8')))
      return contents.join('').split('\n').length - 1
    }
    await expect.poll(spilled, patient).toBe(35)
    first.kill('SIGKILL')
    await first.ended
    proxy.isRefusing = false
    const second = await startChildApp('audit-child-app.ts', env)
    await expect.poll(storedNumbers, patient).toEqual(numbers(40).slice(5))
    second.kill('SIGTERM')
    expect((await second.ended).code).toBe(0)
    expect(await readdir(spillFolder)).toEqual([])
  })
})
