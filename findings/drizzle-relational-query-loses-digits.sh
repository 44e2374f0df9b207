#!/usr/bin/env bash
# drizzle-orm 0.45.4, relational queries (`db.query.x.findMany({ with })`), PostgreSQL dialect: related rows are fetched as JSON and
# parsed with JSON.parse before the column maps them. A `bigint({ mode: 'bigint' })` of a related row becomes another number, and a `numeric`
# loses digits, without an error; `db.select()` returns the same row correctly.
# Affected: applications with 64-bit ids (snowflakes) or exact amounts in related rows, which write or join on wrong values.
# Exits with 0 while the bug exists, with 1 when it is fixed. Needs Node.js 20 or newer and npm.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --silent drizzle-orm@0.45.4 @electric-sql/pglite@0.5.16
cat >main.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite'
import { relations } from 'drizzle-orm'
import { bigint, integer, numeric, pgTable } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/pglite'

const parents = pgTable('parents', { id: integer().primaryKey() })
const children = pgTable('children', {
  id: bigint({ mode: 'bigint' }).primaryKey(),
  parentId: integer(),
  amount: numeric(),
})
const parentRelations = relations(parents, ({ many }) => ({ children: many(children) }))
const childRelations = relations(children, ({ one }) => ({
  parent: one(parents, { fields: [children.parentId], references: [parents.id] }),
}))
const db = drizzle({ client: new PGlite(), schema: { parents, children, parentRelations, childRelations } })
await db.execute('create table parents (id integer primary key)')
await db.execute('create table children (id bigint primary key, "parentId" integer, amount numeric)')
const id = 2n ** 62n + 1n
const amount = '12345678901234567890.123'
await db.insert(parents).values({ id: 1 })
await db.insert(children).values({ id, parentId: 1, amount })

const [selected] = await db.select().from(children)
const [{ children: [related] }] = await db.query.parents.findMany({ with: { children: true } })
console.log('written ', id, amount)
console.log('select  ', selected.id, selected.amount)
console.log('relation', related.id, related.amount)
const selectIsRight = selected.id === id && selected.amount === amount
const relationIsWrong = related.id !== id && related.amount !== amount
process.exit(selectIsRight && relationIsWrong ? 0 : 1)
JS
if node main.mjs; then
  echo 'as described: drizzle-orm 0.45.4 loses digits of related rows'
else
  echo 'this has changed: read the finding again' >&2
  exit 1
fi
