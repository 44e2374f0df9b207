import { performance } from 'node:perf_hooks'
import process from 'node:process'
import { eq, sql } from 'drizzle-orm'
import { integer, pgTable, serial, text, timestamp } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { summarize } from '../lib/statistics.mjs'

/** Repositories: a page of a long table, one row by its id, many rows at once. On a real PostgreSQL: `TEST_DATABASE_URL`, else 127.0.0.1. */

const rowCount = 1_000_000
const perPage = 50

const rows = pgTable('bench_rows', {
  id: serial().primaryKey(),
  name: text().notNull(),
  born: timestamp({ withTimezone: true }).notNull(),
})
const written = pgTable('bench_written', { id: serial().primaryKey(), name: text().notNull(), age: integer() })

export const workload = {
  name: 'database',

  async run({ rounds }) {
    const { BaseRepository } = await import('@twinwire/core/database')
    const url = new URL(process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres')
    const admin = postgres(url.href, { max: 1, onnotice: () => {} })
    const name = `twinwire_bench_${process.pid}`
    await admin.unsafe(`create database ${name}`)
    url.pathname = `/${name}`
    const client = postgres(url.href, { max: 1, onnotice: () => {} })
    let statements = 0
    const db = drizzle({
      client,
      logger: {
        logQuery: () => {
          statements += 1
        },
      },
    })
    try {
      await prepare(db)
      const repository = new BaseRepository(db, rows)
      for (const [title, orderBy] of [
        ['by id', { id: 'asc' }],
        ['by born, id; both down', { born: 'desc' }],
        ['by born down, id up', { born: 'desc', id: 'asc' }],
      ]) {
        report(`last page against the first, ${title}`, await measurePages(repository, orderBy, rounds))
      }
      report('getById against drizzle by hand, CPU', await measureById(db, repository, rounds))
      statements = 0
      const started = performance.now()
      await new BaseRepository(db, written).createMany(
        Array.from({ length: 10_000 }, (_, i) => ({ name: `n${i}`, age: i })),
      )
      console.log(
        `createMany of 10,000 rows: ${statements} statement(s), ${(performance.now() - started).toFixed(0)} ms`,
      )
    } finally {
      await client.end()
      await admin.unsafe(`drop database ${name}`)
      await admin.end()
    }
  },
}

async function prepare(db) {
  await db.execute(sql`create table bench_rows (id serial primary key, name text not null, born timestamptz not null)`)
  await db.execute(sql`create table bench_written (id serial primary key, name text not null, age integer)`)
  await db.execute(sql`insert into bench_rows (name, born) select 'name ' || i, timestamptz '1900-01-01' + (i / 3) * interval '1 minute'
    from generate_series(1, ${sql.raw(String(rowCount))}) i`)
  await db.execute(sql`create index on bench_rows (born, id)`)
  await db.execute(sql`create index on bench_rows (born desc, id)`)
  await db.execute(sql`vacuum analyze bench_rows`)
}

/** Time of the first and the last page, measured alternately. The last cursor is found by reading pages of the maximum size. */
async function measurePages(repository, orderBy, rounds) {
  const last = await findLast(repository, orderBy)
  const page = (cursor) => repository.getPage({ cursor, perPage, orderBy })
  const ratios = []
  const micros = { first: [], last: [] }
  for (let round = -1; round < rounds; round += 1) {
    const spent = { first: 0, last: 0 }
    for (let i = 0; i < 200; i += 1) {
      for (const which of i % 2 === 0 ? ['first', 'last'] : ['last', 'first']) {
        const started = performance.now()
        const { items } = await page(which === 'first' ? '' : last)
        spent[which] += performance.now() - started
        if (items.length !== perPage) throw new Error('A page is not whole')
      }
    }
    if (round < 0) continue
    ratios.push(spent.last / spent.first)
    for (const which of ['first', 'last']) micros[which].push((spent[which] / 200) * 1000)
  }
  return { ratio: summarize(ratios), base: summarize(micros.first), other: summarize(micros.last) }
}

async function findLast(repository, orderBy) {
  // The last whole page starts here: its cursor is that of the page before, which ends at this row.
  let cursor = ''
  let seen = 0
  while (seen < rowCount - perPage) {
    const size = Math.min(1000, rowCount - perPage - seen)
    const { items, meta } = await repository.getPage({ cursor, perPage: size, orderBy })
    seen += items.length
    cursor = meta.next_cursor
  }
  return cursor
}

/** CPU of this process, both alternately. */
async function measureById(db, repository, rounds) {
  const byHand = async (id) => {
    const [row] = await db.select().from(rows).where(eq(rows.id, id)).limit(1)
    if (row === undefined) throw new Error('No such row')
    return row
  }
  const contestants = { byHand, repository: (id) => repository.getById(id) }
  const ratios = []
  const micros = { byHand: [], repository: [] }
  for (let round = -2; round < rounds; round += 1) {
    const spent = { byHand: 0, repository: 0 }
    for (let slice = 0; slice < 20; slice += 1) {
      for (const which of slice % 2 === 0 ? ['byHand', 'repository'] : ['repository', 'byHand']) {
        const before = process.cpuUsage()
        for (let i = 0; i < 100; i += 1) await contestants[which](1 + ((slice * 100 + i) % 1000))
        const { user, system } = process.cpuUsage(before)
        spent[which] += user + system
      }
    }
    if (round < 0) continue
    ratios.push(spent.repository / spent.byHand)
    for (const which of ['byHand', 'repository']) micros[which].push(spent[which] / 2000)
  }
  return { ratio: summarize(ratios), base: summarize(micros.byHand), other: summarize(micros.repository) }
}

function report(title, { ratio, base, other }) {
  const cell = ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}..${max.toFixed(2)})`
  console.log(`${title}: ratio ${cell(ratio)}; ${cell(base)} us against ${cell(other)} us`)
}
