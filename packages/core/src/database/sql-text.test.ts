import { describe, expect, test } from 'vitest'
import { leadingWords, splitStatements } from './sql-text.ts'

const strings = (text: string) => splitStatements(text).map((statement) => statement.text)

describe('the statements of a string', () => {
  test.each<[string, string[]]>([
    ['', []],
    [' ; ;; ', []],
    ['-- nothing; here', []],
    ['select 1', ['select 1']],
    ['select 1;\nselect 2 ;', ['select 1', 'select 2']],
    ["select ';', 'it''s;'; select 2", ["select ';', 'it''s;'", 'select 2']],
    ["select E'\\';', e'a''\\\\'; select 2", ["select E'\\';', e'a''\\\\'", 'select 2']],
    ["select '\\'; select 2", ["select '\\'", 'select 2']],
    ['select "a;""b;"; select 2', ['select "a;""b;"', 'select 2']],
    ['select $$;$$, $a$;$$;$b$;$a$; select 2', ['select $$;$$, $a$;$$;$b$;$a$', 'select 2']],
    ['select a$b; select c$b', ['select a$b', 'select c$b']],
    ['select 1 -- ; \n; select /* ; /* ; */ ; */ 2', ['select 1 -- ;', 'select /* ; /* ; */ ; */ 2']],
    [
      'create rule r as on insert to t do also (delete from a; delete from b); select 2',
      ['create rule r as on insert to t do also (delete from a; delete from b)', 'select 2'],
    ],
    [
      'create function f() returns int begin atomic select 1; select case when true then 2 end; end; select 2',
      ['create function f() returns int begin atomic select 1; select case when true then 2 end; end', 'select 2'],
    ],
    [
      'CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC select 1; END; begin; end',
      ['CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC select 1; END', 'begin', 'end'],
    ],
    ["select 'never closed; select 2", ["select 'never closed; select 2"]],
    ['select $$ never closed; select 2', ['select $$ never closed; select 2']],
    ['/* never closed; select 2', []],
  ])('%j', (text, expected) => {
    expect(strings(text)).toEqual(expected)
  })

  test('parameters are those outside of strings, names and comments', () => {
    const [first, second] = splitStatements(
      `alter table t add check (n > $1 and s <> '$2' and "$3" > 0 and a$4 > 0 /* $5 */ and $$ $6 $$ <> '' and m < $12) -- $7\n; select $8`,
    )
    expect(first?.parameters).toEqual(['$1', '$12'])
    expect(second?.parameters).toEqual(['$8'])
  })

  test('the words at the start of each, or of the first alone', () => {
    const text = ' -- a\nBEGIN; ;Insert Into "t" values (1); (select 1); rollback to savepoint a more; end'
    const words = [['begin'], ['insert', 'into'], [], ['rollback', 'to', 'savepoint', 'a'], ['end']]
    expect([...leadingWords(text, false)]).toEqual(words)
    expect([...leadingWords('(select 1)', true)]).toEqual([[]])
    expect([...leadingWords('begin', true)]).toEqual([['begin']])
  })
})
