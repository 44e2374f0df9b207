import { randomBytes } from 'node:crypto'
import process from 'node:process'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import { isolationSql } from '../src/index.ts'

export const notes = pgTable('notes', {
  id: serial().primaryKey(),
  tenant: text().notNull(),
  text: text().notNull(),
})

export interface TenantsDatabase {
  /** Of a role that is neither a superuser nor the owner of the table. */
  readonly url: string
  readonly role: string
  /** As a superuser. */
  run(statement: string): Promise<readonly object[]>
  drop(): Promise<void>
}

/** A database with an isolated table, on the server of `TEST_DATABASE_URL`, whose user has to be a superuser. */
export async function createTenantsDatabase(): Promise<TenantsDatabase> {
  const server = process.env.TEST_DATABASE_URL
  if (server === undefined) throw new Error('Set TEST_DATABASE_URL to the address of a superuser on a PostgreSQL')
  const name = `tenants_${randomBytes(6).toString('hex')}`
  const admin = postgres(server, { max: 1 })
  await admin.unsafe(`create database ${name}`)
  await admin.unsafe(`create role ${name} login password '${name}'`)
  const superuser = new URL(server)
  superuser.pathname = `/${name}`
  const owner = postgres(superuser.href, { max: 1 })
  const statements = [
    'create table notes (id serial primary key, tenant text not null, text text not null)',
    ...isolationSql(notes, notes.tenant),
    `grant select, insert, update, delete on notes to ${name}`,
    `grant usage on sequence notes_id_seq to ${name}`,
  ]
  for (const statement of statements) await owner.unsafe(statement)
  const own = new URL(superuser)
  own.username = name
  own.password = name
  return {
    url: own.href,
    role: name,
    run: (statement) => owner.unsafe(statement),
    async drop() {
      await owner.end()
      await admin.unsafe(`drop database ${name} with (force)`)
      await admin.unsafe(`drop role ${name}`)
      await admin.end()
    },
  }
}
