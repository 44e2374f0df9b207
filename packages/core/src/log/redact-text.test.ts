import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactLine, redactText } from './redact-text.ts'

const secret = 'hunter2'
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'

describe('redactText', () => {
  test.each([
    ['password=hunter2', 'password=[REDACTED]'],
    ['?a=1&user_pwd=hunter2&b=2', '?a=1&user_pwd=[REDACTED]&b=2'],
    ['user[password]=hunter2&b=2', 'user[password]=[REDACTED]&b=2'],
    ['user%5Bpassword%5D=hunter2&b=2', 'user%5Bpassword%5D=[REDACTED]&b=2'],
    ['wrong password: hunter2 and more, try again', 'wrong password: [REDACTED], try again'],
    ['password: hunter2 user: ann', 'password: [REDACTED] user: ann'],
    ['{"name":"ann","apiKey":"hunter2"}', '{"name":"ann","apiKey":"[REDACTED]"}'],
    ['{"Pass-Word" : "say \\"hunter2\\" twice"}', '{"Pass-Word" : "[REDACTED]"}'],
    ["{'token': 'it''s hunter2'}", "{'token': '[REDACTED]'}"],
    ['{"token":["hunter2","}"],"b":1}', '{"token":[REDACTED],"b":1}'],
    ['{"secret":{"a":"}hunter2"},"b":1}', '{"secret":[REDACTED],"b":1}'],
    ['{"cvv":12345}', '{"cvv":[REDACTED]}'],
    ['{"pass\\u0077ord":"hunter2"}', '{"password":"[REDACTED]"}'],
    ['"{\\"token\\":\\"a\\\\\\"hunter2\\"}"', '"{\\"token\\":\\"[REDACTED]\\"}"'],
    ['<password>hunter2</password>', '<password>[REDACTED]</password>'],
    ["the password 'hunter2' is wrong", "the password '[REDACTED]' is wrong"],
    ['api key: hunter2', 'api key: [REDACTED]'],
    ['Social Security Number: hunter2', 'Social Security Number: [REDACTED]'],
    ['at:password=hunter2', 'at:password=[REDACTED]'],
    ['Authorization: Bearer hunter2', 'Authorization: [REDACTED]'],
    ['Basic aHVudGVyMg==', 'Basic [REDACTED]'],
    [`a ${jwt} b`, 'a [REDACTED] b'],
    [`a ${jwt.slice(0, 30)}`, 'a [REDACTED]'],
    [`a ${jwt.slice(0, 30)}[…]`, 'a [REDACTED][…]'],
    ['postgres://me:hunter2@db/x', 'postgres://me:[REDACTED]@db/x'],
  ])('%s', (text, redacted) => expect(redactText(text)).toBe(redacted))

  test.each([
    '',
    'Author with ID 7 not found',
    'name: Ann, session=5',
    'basic settings are missing',
    'Unexpected token \'a\', "abc" is not valid JSON',
    'update users set password = $1 where id = $2',
    'tokens expire at 12:00',
    'http://example.org/a?b=c',
  ])('changes nothing of %j', (text) => expect(redactText(text)).toBe(text))

  test('ends in linear time, and keeps what has no key', () => {
    for (const piece of ['"', '\\', ' ', 'a', 'password=', 'password ', '\\"', '{', "'", 'a=', '%5D', '-eyJabcdefgh.'])
      expect(redactText(piece.repeat(20_000)).length).toBeLessThan(400_000)
  })

  test('reads a long word once, and finds a secret key at its end', () => {
    const word = 'a'.repeat(20_000_000)
    expect(redactText(`${word}=`)).toHaveLength(word.length + 1)
    expect(redactText(`${'a'.repeat(1000)}_password=x`)).toMatch(/^a{1000}_password=\[REDACTED\]$/)
  })
})

describe('redactLine', () => {
  const line = (fields: object) => JSON.stringify({ level: 'info', ...fields, time: 1 })

  test.each([
    ['an assignment', { msg: `password=${secret}` }],
    ['one before a quote', { msg: `"password=${secret}"`, a: 1 }],
    ['JSON in a string', { msg: JSON.stringify({ a: { token: `x"${secret}` } }) }],
    ['JSON in JSON', { body: JSON.stringify(JSON.stringify({ token: `x"\\${secret}` })) }],
    ['an object in a string', { body: JSON.stringify({ secret: { a: `}${secret}` } }) }],
    ['one behind a line break', { msg: `a\npwd=${secret}\\` }],
  ])('redacts %s, and the line can be parsed', (_, fields) => {
    const redacted = redactLine(line(fields))
    expect(redacted).not.toContain(secret)
    expect(JSON.parse(redacted)).toMatchObject({ level: 'info', time: 1 })
  })

  test('keeps fields and ordinary lines', () => {
    const ordinary = line({ path: '/authors/:id', token: '[REDACTED]', sql: 'where "a" = $1', stack: 'secret.ts:10:5' })
    expect(redactLine(ordinary)).toBe(ordinary)
  })

  test('what it makes is always JSON with the same keys', () => {
    const piece = fc.constantFrom(
      'password',
      '=',
      ':',
      '"',
      "'",
      '\\',
      '{',
      '}',
      '[',
      ']',
      ' ',
      'x',
      ',',
      '\n',
      '\u0007',
      'token',
    )
    const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, text, fc.boolean(), (a, b, nested) => {
        const fields = { a: nested ? JSON.stringify({ token: a, b: [a] }) : a, b, c: 5 }
        const parsed: unknown = JSON.parse(redactLine(line(fields)))
        expect(parsed).toMatchObject({ level: 'info', c: 5, time: 1, a: expect.any(String), b: expect.any(String) })
      }),
      { numRuns: 3000 },
    )
  })
})
