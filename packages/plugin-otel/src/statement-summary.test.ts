import { expect, it } from 'vitest'
import { summarize } from './statement-summary.ts'

it.each([
  ['select "id" from "authors" where "name" = $1', 'SELECT authors'],
  ['insert into "app"."authors" ("name") values ($1)', 'INSERT app.authors'],
  ['update authors set name = $1', 'UPDATE authors'],
  ['delete from "authors"', 'DELETE authors'],
  ['  ( select 1 )', 'SELECT'],
  ['begin isolation level serializable', 'BEGIN'],
  ['commit', 'COMMIT'],
  ['? select 1 from authors', 'SELECT authors'],
  ['? ?', 'SQL'],
])('%s', (text, summary) => {
  expect(summarize(text)).toBe(summary)
})
