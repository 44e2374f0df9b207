// What PostgreSQL reads for the audit log, with a million rows: every filter alone and with each other one, frequent and rare values, the first
// page, one deep inside, and the total.
import { readFile } from 'node:fs/promises'
import { route } from '@twinwire/core'
import { database, withDb } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { type AuditFilters, AuditRepository, audit } from '@twinwire/plugin-audit'
import { sql as raw } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'

const rows = 1_000_000

/** 20 users with half of the calls, 20,000 with the others; a call a second; the rare values are of 100 to 200 rows. */
const fill = `
  insert into user_actions
  select ('019b7000-0000-7000-8000-' || lpad(to_hex(i), 12, '0'))::uuid,
    timestamptz '2026-01-01 00:00:00+00' + i * interval '1 second',
    'user-' || u,
    'name' || u || '@example.com',
    '["get-authors"]',
    case when i % 10007 = 5 then 'DELETE' when i % 2 = 0 then 'GET' else 'WS:GET_AUTHORS' end,
    case when i % 9973 = 7 then '/reports/quarterly/' || i when i % 4 = 0 then '/books/' || i % 5000 else '/authors/' || i % 20000 end,
    case when i % 5003 = 3 then 'permission_denied' when i % 25 = 1 then 'error' else 'success' end,
    '192.0.2.7', 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)', 'request-' || i,
    '{"name": "Ursula", "page": 7}', 200, null, i % 100
  from (select i, case when i % 2 = 0 then i / 2 % 20 else 20 + i * 7919::bigint % 20000 end as u from generate_series(1, ${rows}) i) s
  order by i`

const at = (second: number): Date => new Date(Date.UTC(2026, 0, 1) + second * 1000)
const deep = { timestamp: at(rows / 2).toISOString(), id: '019b7000-0000-7000-8000-000000000000' }

type Case = readonly [name: string, filters: AuditFilters]

/** Each filter with a frequent value and a rare one. */
const filters: readonly (readonly [Case, Case])[] = [
  [
    ['a busy user', { userId: 'user-7' }],
    ['another user', { userId: 'user-4321' }],
  ],
  [
    ['a part of all names', { username: 'EXAMPLE' }],
    ['a part of one name', { username: 'name4321@' }],
  ],
  [
    ['a frequent action', { actionType: 'GET' }],
    ['a rare action', { actionType: 'DELETE' }],
  ],
  [
    ['a part of most paths', { resource: 'Authors' }],
    ['a part of few paths', { resource: 'quarterly' }],
  ],
  [
    ['success', { outcome: 'success' }],
    ['permission_denied', { outcome: 'permission_denied' }],
  ],
  [
    ['nearly all days', { from: at(1000), to: at(rows - 1000) }],
    ['an hour', { from: at(400_000), to: at(403_600) }],
  ],
]

const alone: readonly Case[] = [['no filter', {}], ...filters.flat()]
const pairs: readonly Case[] = filters.flatMap((first, index) =>
  filters
    .slice(index + 1)
    .flatMap((second) =>
      first.flatMap((one) => second.map((other): Case => [`${one[0]} and ${other[0]}`, { ...one[1], ...other[1] }])),
    ),
)

interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

interface Node {
  readonly 'Node Type': string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly 'Rows Removed by Index Recheck'?: number
  readonly Plans?: readonly Node[]
}

describe.skipIf(!(await hasPostgres()))('with a million rows', () => {
  let server: TestPostgres
  let sql: postgres.Sql
  const statements: Statement[] = []

  beforeAll(async () => {
    server = await startPostgres({ own: true })
    sql = postgres(server.url, { max: 1, prepare: false, onnotice: () => {} })
    const [table = '', ...indexes] = await readMigration()
    await sql.unsafe(`create extension pg_trgm; ${table}`)
    await sql.unsafe(`set synchronous_commit = off; set maintenance_work_mem = '256MB'`)
    await sql.unsafe(fill)
    for (const index of indexes) await sql.unsafe(index)
    await sql.unsafe('vacuum analyze user_actions')
  }, 300_000)
  afterAll(async () => {
    await sql?.end()
    await server?.stop()
  })

  const db = () => {
    const logger = { logQuery: (text: string, values: unknown[]) => void statements.push({ text, values }) }
    return drizzle(sql, { logger })
  }

  async function record(run: () => Promise<unknown>): Promise<readonly Statement[]> {
    statements.length = 0
    await run()
    return [...statements]
  }

  async function explain({ text, values }: Statement): Promise<readonly Node[]> {
    const parameters = values as never[]
    const [row] = await sql.unsafe(`explain (analyze, timing off, format json) ${text}`, parameters)
    const [{ Plan }] = row?.['QUERY PLAN'] ?? []
    return toNodes(Plan)
  }

  const repository = () => new AuditRepository(db())
  const scans = (nodes: readonly Node[]) =>
    nodes.filter((node) => node['Relation Name'] !== undefined).map((node) => node['Node Type'])
  /** Rows that a plan has visited in the table. */
  const visited = (nodes: readonly Node[]): number =>
    nodes
      .filter((node) => node['Relation Name'] !== undefined)
      .reduce((sum, node) => sum + node['Actual Loops'] * (node['Actual Rows'] + removed(node)), 0)

  test.each([...alone, ...pairs])('pages of %s read no table as a whole', async (_name, filters) => {
    const first = await record(() => repository().getPage(filters, { cursor: '', perPage: 5 }))
    const numbered = await record(() => repository().getPage(filters, { page: 2, perPage: 5 }))
    const pages = [...first, ...numbered.filter(({ text }) => !text.includes('count('))]
    const { meta, items } = await repository().getPage(filters, { cursor: '', perPage: 5 })
    if (meta.next_cursor !== null) {
      const cursor = meta.next_cursor
      const next = await record(() => repository().getPage(filters, { cursor, perPage: 5 }))
      const last = items.at(-1)?.id
      for (const { text, values } of next) {
        const moved = values.map((value) =>
          value === last ? deep.id : isTime(value, filters) ? deep.timestamp : value,
        )
        expect(moved).not.toEqual(values)
        pages.push({ text, values: moved })
      }
    }
    for (const page of pages) {
      const plan = await explain(page)
      expect([page, scans(plan)]).not.toEqual([page, expect.arrayContaining(['Seq Scan'])])
      expect(visited(plan)).toBeLessThan(rows / 20)
    }
  })

  // What matches about half of the table or more is read to be counted, unless one index has all of its columns.
  const [parts, rare] = [[filters[1]?.[0], filters[3]?.[0]], filters.map(([, each]) => each[0])]
  const isCountedByIndex = (each: Case): boolean =>
    alone.includes(each) ? !parts.includes(each) : rare.some((name) => each[0].includes(name))

  test.each([...alone, ...pairs].filter(isCountedByIndex))(
    'the total of %s is that of an index',
    async (_name, filters) => {
      const numbered = await record(() => repository().getPage(filters, { perPage: 5 }))
      const count = numbered.find(({ text }) => text.includes('count('))
      if (count === undefined) throw new Error('Nothing was counted')
      expect(scans(await explain(count))).not.toContain('Seq Scan')
    },
  )

  // A plan for any values would have one index for rare and frequent ones. PostgreSQL plans each time, because the LIMIT is a value too.
  test('the endpoints have a plan for the values at hand, however often they are called', async () => {
    const plans = route({
      http: 'GET /plans',
      access: 'public',
      use: [withDb()],
      handler: async (_input, { db }) => {
        const statements = raw`(select * from pg_prepared_statements where statement like '%from "user_actions"%order by%') as statements`
        const [row] = await db
          .select({ generic: raw<number>`sum(generic_plans)::int`, custom: raw<number>`sum(custom_plans)::int` })
          .from(statements)
        return row ?? null
      },
    })
    const app = await createTestApp({
      pkgIds: {},
      routes: {},
      endpoints: [plans],
      plugins: [database({ url: server.url, pool: { max: 1 } }), audit({ enabled: false, retentionDays: 0 })],
    })
    onTestFinished(() => app.close())
    for (let time = 0; time < 10; time += 1)
      expect((await app.request('GET /audit-logs?outcome=permission_denied&cursor=')).status).toBe(200)
    expect((await app.request('GET /plans')).json()).toEqual({ generic: 0, custom: 10 })
  })
})

async function readMigration(): Promise<readonly string[]> {
  const file = new URL('../../examples/authors/drizzle/0004_audit.sql', import.meta.url)
  return (await readFile(file, 'utf8')).split('--> statement-breakpoint')
}

function toNodes(node: Node): readonly Node[] {
  return [node, ...(node.Plans ?? []).flatMap(toNodes)]
}

function removed(node: Node): number {
  return (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0)
}

/** The text of a position's time, and not one of the filters. */
function isTime(value: unknown, { from, to }: AuditFilters): boolean {
  if (typeof value !== 'string' || !/^\d{4}-\d\d-\d\d[T ]/.test(value)) return false
  return ![from, to].some((limit) => limit?.getTime() === new Date(value).getTime())
}
