import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactStatement } from './redact-statement.ts'

describe('the text of a statement', () => {
  test.each([
    [
      'select "id", "name" from "authors" where "id" = $1 limit $2',
      'select "id", "name" from "authors" where "id" = $1 limit $2',
    ],
    ["select * from t where a = 'se''cret' and b = 'x'", 'select * from t where a = ? and b = ?'],
    ["select E'se\\'cret', e'x' from t1", 'select ?, ? from t1'],
    ['select $$secret$$, $a$secret $$ secret$a$ from t', 'select ?, ? from t'],
    ['select 41, 4.5e-3 from t2 where c3 = 1', 'select ?, ? from t2 where c3 = ?'],
    ['select 1 -- secret\n, 2 /* secret */', 'select ? ?\n, ? ?'],
    ['select "secret 1" from t', 'select "secret 1" from t'],
    ["select 'never ended: secret", 'select ?'],
    ['select $1::int, -5', 'select $1::int, -?'],
  ])('%s', (text, expected) => {
    expect(redactStatement(text)).toBe(expected)
  })

  test('holds no quoted value, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (name, value) => {
        const marked = `secret${value}secret`
        const quoted = `"${name.replaceAll('"', '""')}" = '${marked.replaceAll("'", "''")}' and "x" = $1`
        expect(redactStatement(`select ${quoted}`)).not.toContain(`${value}secret`)
      }),
    )
  })

  test('is cut, and a value at the cut does not show', () => {
    const long = redactStatement(`select ${'a, '.repeat(2000)}`)
    expect(long).toHaveLength(2001)
    expect(redactStatement(`select ${' '.repeat(3985)}'secret of many words' from t`)).not.toContain('secret')
  })
})
