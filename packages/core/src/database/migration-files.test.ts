import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { writeMigrations } from './database.fixtures.ts'
import { readMigrationFiles } from './migration-files.ts'

const read = async (text: string) => readMigrationFiles(await writeMigrations([text]))[0]

describe('a file of a drizzle-kit folder', () => {
  test('has the statements between the breakpoints and between the semicolons, and the hash that drizzle gives it', async () => {
    const text = 'create table a (n int);--> statement-breakpoint\ninsert into a values (1);insert into a values (2)\n'
    expect(await read(text)).toEqual({
      tag: '0000_test',
      when: 1,
      hash: createHash('sha256').update(text).digest('hex'),
      statements: ['create table a (n int)', 'insert into a values (1)', 'insert into a values (2)'],
      inTransaction: true,
      problem: null,
    })
    expect((await read('-- Custom SQL migration file, put your code below! --'))?.statements).toEqual([])
  })

  test.each([
    ['-- no transaction\nselect 1', false],
    ['--no transaction\r\nselect 1', false],
    ['-- No-Transaction', false],
    ['\n-- for the index\n\n  -- no transaction  \nselect 1', false],
    ['select 1;\n-- no transaction\nselect 2', true],
    ['-- no transaction here\nselect 1', true],
    ['-- there is no transaction\nselect 1', true],
    ["select '\n-- no transaction\n'", true],
    ['', true],
  ])('%j runs in a transaction: %s', async (text, expected) => {
    expect((await read(text))?.inTransaction).toBe(expected)
  })

  test.each([
    [
      'alter table "a" add constraint "a_n" check ("a"."n" > $1);',
      /^\$1 in `alter table "a" add constraint .* Write the value/,
    ],
    ['create table "a" ("n" int, constraint "a_n" check ("a"."n" in ($1, $2)));', /^\$1 in `create table/],
    ['create index "a_n" on "a" ("n") where "a"."n" > $1;', /^\$1 in `create index/],
    ['create index "a_n" on "a" (("n" + $1));', /^\$1 in/],
    ['create policy "p" on "a" for select using ("n" = $2);', /^\$2 in `create policy/],
    ['create view "v" as (select * from "a" where "n" > $1);', /^\$1 in `create view/],
    ['-- no transaction\ncreate index concurrently "a_n" on "a" ("n") where "n" > $1;', /^\$1 in/],
    ['insert into a values (1);\ncommit;', /^`commit`: each file runs in a separate transaction/],
    ['begin;\ninsert into a values (1);', /^`begin`/],
    ['-- no transaction\nbegin;\ninsert into a values (1);', /^`begin`: the file has `-- no transaction`/],
  ])('%j cannot be applied', async (text, problem) => {
    expect((await read(text))?.problem).toMatch(problem)
  })

  test.each([
    `insert into a values ('$1', "$2", $$ $3 $$) -- $4`,
    'create function f(int) returns int language sql as $$ select $1 $$',
    'create or replace function f(int) returns int language sql return $1 + 1',
    'create function f(int) returns int language sql begin atomic; select $1; end',
    'prepare p(int) as select $1',
    'savepoint a; select 1; release savepoint a',
    'do $$ begin perform 1; end $$',
  ])('nothing is known against %j', async (text) => {
    expect((await read(text))?.problem).toBeNull()
  })
})
