import { sql } from 'drizzle-orm'
import type { Database } from '../database.ts'

/** The schema of the copies. */
const keptSchema = 'twinwire_test_rows'
/** Schemas of PostgreSQL, of drizzle-kit's migrations, and of this file. */
const notOfTheApplication = sql`(${sql.join([sql`'information_schema'`, sql`'drizzle'`, sql.raw(`'${keptSchema}'`)], sql`, `)})`

interface Table {
  /** Quoted, with its schema. */
  readonly name: string
  /** All columns that can be written, quoted, separated by commas. */
  readonly columns: string
}

/** Copies all rows, and returns a function that restores them. */
export async function createReset(db: Database): Promise<() => Promise<void>> {
  await db.execute(sql.raw(`create schema ${keptSchema}`))
  const statements: string[] = []
  for (const [i, { name, columns }] of (await findTables(db)).entries()) {
    // Empty ones are not touched: a test fills few of many.
    statements.push(`delete from only ${name};`)
    if (columns === '') continue
    const kept = `${keptSchema}.kept_${i}`
    await db.execute(sql.raw(`create table ${kept} as select ${columns} from only ${name}`))
    statements.push(`insert into ${name} (${columns}) overriding system value select ${columns} from ${kept};`)
  }
  for (const { name, value, isCalled } of await findSequences(db))
    statements.push(`perform setval('${name}', ${value}, ${isCalled});`)
  // Without triggers and foreign keys, so that the order of the tables does not matter; only for this transaction.
  const text = `do $reset$ begin
    perform set_config('session_replication_role', 'replica', true);
    ${statements.join('\n    ')}
  end $reset$`
  return async () => {
    await db.execute(sql.raw(text))
  }
}

function findTables(db: Database): Promise<Table[]> {
  return db.select({ name: sql<string>`name`, columns: sql<string>`columns` }).from(
    sql`(
        select format('%I.%I', n.nspname, c.relname) as name,
          (select coalesce(string_agg(quote_ident(a.attname), ', ' order by a.attnum), '') from pg_attribute a
            where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname not like 'pg\\_%' and n.nspname not in ${notOfTheApplication}
        order by 1) as tables`,
  )
}

function findSequences(db: Database): Promise<{ name: string; value: string; isCalled: boolean }[]> {
  return db.select({ name: sql<string>`name`, value: sql<string>`value`, isCalled: sql<boolean>`is_called` }).from(
    sql`(
        select replace(format('%I.%I', schemaname, sequencename), '''', '''''') as name,
          coalesce(last_value, start_value)::text as value, last_value is not null as is_called
        from pg_sequences where schemaname not in ${notOfTheApplication}) as sequences`,
  )
}
