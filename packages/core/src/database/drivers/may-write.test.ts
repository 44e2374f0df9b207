import { describe, expect, it } from 'vitest'
import { mayWrite } from './may-write.ts'

describe('mayWrite', () => {
  it.each([
    'select 1',
    'SELECT "id", "name" FROM "authors" WHERE "name" = $1 ORDER BY "id" LIMIT $2',
    'select count(*)::int from "authors"',
    'select lower("name"), coalesce(max("n"), 0) from "t" group by 1 having count(*) > 1',
    '  -- a comment, insert\n (select 1) union all (select 2)',
    'select "a" from "t" where "b" in ($1, $2) and ("c" = $3 or not ("d" > 1)) and exists (select 1)',
    'select cast("price" as numeric(10, 2)), "x"::varchar(3) from "t"',
    'select row_number() over (partition by "a" order by "b") from "t"',
    'with "x" as (select 1), "y" as materialized (select 2) select * from "x", "y"',
    'select "id" from "t" for update skip locked',
    'select "id" from "t" for no key update',
    "select 'insert into t'",
    'select $$ delete from t $$',
    'select "update", "delete" from "insert"',
    'select json_agg(json_build_array("a", "b")) from "t" left join lateral (select 1) "l" on true',
    'values (1), (2)',
    'table authors',
    'show server_version',
    'explain select 1',
    'select nullif(array_length(array[1], 1), any(array[1]))',
  ])('is false: %s', (text) => {
    expect(mayWrite(text)).toBe(false)
    // From memory.
    expect(mayWrite(text)).toBe(false)
  })

  it.each([
    'insert into "t" values ($1)',
    'UPDATE "t" SET "a" = 1',
    'delete from "t"',
    'merge into t using s on true when matched then delete',
    'with "x" as (insert into "t" values (1) returning *) select * from "x"',
    'with x as (\n delete from t returning 1) select 1',
    'select add_mark($1)',
    'select "add_mark"($1)',
    'select my.lower("x") from "t"',
    'select add_mark /* a comment */ ($1)',
    "select nextval('s')",
    'select * into "copy" from "t"',
    'select 1; insert into t values (1)',
    'select 1; vacuum',
    'explain analyze update t set a = 1',
    'explain analyze select add_mark(1)',
    'call work()',
    'do $$ begin end $$',
    'create table t ()',
    'truncate t',
    'copy t from stdin',
    'refresh materialized view v',
    'select case when true then add_mark(1) end',
    'notify x',
  ])('is true: %s', (text) => {
    expect(mayWrite(text)).toBe(true)
    expect(mayWrite(text)).toBe(true)
  })

  it('keeps what it knows within bounds, and is right when it has forgotten', () => {
    for (let n = 0; n < 5000; n += 1) expect(mayWrite(`select ${n} from "t"`)).toBe(false)
    expect(mayWrite('select add_mark($1)')).toBe(true)
    expect(mayWrite(`select ${'1, '.repeat(3000)} 1`)).toBe(false)
  })
})
