import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redact, redactFields } from './redact.ts'
import { isSecretKey } from './secret-keys.ts'

const contract = [
  'password',
  'passwd',
  'pwd',
  'token',
  'access_token',
  'refresh_token',
  'secret',
  'api_key',
  'private_key',
  'ssn',
  'social_security_number',
  'credit_card',
  'card_number',
  'cvv',
  'authorization',
]

describe('secret keys', () => {
  test.each([
    ...contract,
    'userPassword',
    'accessToken',
    'idTokens',
    'X-Api-Key',
    'APIKey',
    'PASSWORD',
    'DB_PASSWORD',
    'dbpassword',
    'passwordHash',
    'clientSecret',
    'creditCardNumber',
    'userSSN',
    'Proxy-Authorization',
    'set-cookie',
    'pass_word',
    'PassWord',
    'pAsSwOrD',
    'p.a.s.s.w.o.r.d',
    'user-pwd',
    'dbpwd',
    'api.key',
    'api key',
    'password2',
    'access_token_1',
    'pass_word_hash',
    'C-V-V',
    's_s_n',
    'passwörd'.replace('ö', 'o\u0308'),
    'ｐａｓｓｗｏｒｄ',
  ])('%s is one', (key) => expect(isSecretKey(key)).toBe(true))

  test.each([
    'name',
    'session',
    'classname',
    'tokenCount',
    'expires_in',
    'author',
    'key',
    'secretary',
    'pkg_id',
    'sha256',
    'keyboard',
    '',
  ])('%j is none', (key) => expect(isSecretKey(key)).toBe(false))
})

test('fields that need no copy are not copied', () => {
  const fields = { request_id: 'a', status_code: 200, ok: true, user_id: null }
  expect(redactFields(fields)).toBe(fields)
  expect(redactFields({ ...fields, token: 't' })).toEqual({ ...fields, token: '[REDACTED]' })
  expect(redactFields({ big: 1n, long: 'a'.repeat(20_000) })).toMatchObject({
    big: '1',
    long: expect.stringMatching(/^a{16384}\[…\]$/),
  })
})

describe('redact', () => {
  test('at any depth, through lists of lists', () => {
    expect(redact({ a: [[{ password: 'x', b: [{ token: { deep: 1 } }] }]], n: 1 })).toEqual({
      a: [[{ password: '[REDACTED]', b: [{ token: '[REDACTED]' }] }]],
      n: 1,
    })
  })

  test('errors with own properties and causes', () => {
    const cause = Object.assign(new TypeError('inner'), { apiKey: 'k' })
    const error = Object.assign(new Error('outer', { cause }), { request: { headers: { authorization: 'x' } } })
    expect(redact({ err: error })).toMatchObject({
      err: {
        type: 'Error',
        message: 'outer',
        request: { headers: { authorization: '[REDACTED]' } },
        cause: { type: 'TypeError', message: 'inner', apiKey: '[REDACTED]' },
      },
    })
  })

  test('values in the message of an error, and in its stack', () => {
    const error = new Error('refused: {"password":"hunter2"}', { cause: new Error('token=hunter2') })
    expect(JSON.stringify(redact({ err: error }))).not.toContain('hunter2')
    expect(redact({ err: error })).toMatchObject({
      err: { message: 'refused: {"password":"[REDACTED]"}', stack: expect.stringContaining('redact.test.ts') },
    })
  })

  test('files and bytes as type and size', () => {
    expect(redact({ a: new Uint8Array(3), b: new Blob(['abc'], { type: 'image/png' }), c: new Blob(['a']) })).toEqual({
      a: '[3 bytes]',
      b: '[3 bytes of image/png]',
      c: '[1 bytes]',
    })
  })

  test('strings and keys by toText', () => {
    const toText = (text: string) => text.toUpperCase()
    expect(redact({ a: ['b', 1], password: 'x' }, { toText })).toEqual({ A: ['B', 1], PASSWORD: '[REDACTED]' })
  })

  test('the errors of an AggregateError', () => {
    const error = new AggregateError([Object.assign(new Error('one'), { token: 't' })], 'all')
    expect(redact(error)).toMatchObject({ message: 'all', errors: [{ message: 'one', token: '[REDACTED]' }] })
  })

  test('redacts statement values in errors of drizzle and PostgreSQL', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      detail: 'Key (name)=(Ursula\nK.) already exists.',
      parameters: ['Ursula'],
    })
    const error = Object.assign(new Error('Failed query: insert into a values ($1)\nparams: Ursula\nK.', { cause }), {
      query: 'insert into a values ($1)',
      params: ['Ursula'],
    })
    const text = JSON.stringify(redact(error))
    expect(text).not.toContain('Ursula')
    expect(text).not.toContain('K.')
    expect(text).toContain('Failed query: insert into a values ($1)')
    expect(text).toContain('Key (name)=([REDACTED]) already exists.')
    expect(text).toContain('redact.test.ts')
  })

  test('values that are not plain objects', () => {
    class Money {
      readonly amount = 1
      readonly token = 't'
    }
    expect(
      redact({
        date: new Date(0),
        never: new Date(Number.NaN),
        bytes: new Uint8Array(3),
        big: 1n,
        map: new Map([['password', 'x']]),
        set: new Set([1]),
        url: new URL('https://a.example/'),
        money: new Money(),
        fn: () => 1,
        nothing: null,
        absent: undefined,
      }),
    ).toEqual({
      date: '1970-01-01T00:00:00.000Z',
      never: null,
      bytes: '[3 bytes]',
      big: '1',
      map: { password: '[REDACTED]' },
      set: [1],
      url: 'https://a.example/',
      money: { amount: 1, token: '[REDACTED]' },
      fn: '[Function]',
      nothing: null,
      absent: undefined,
    })
  })

  test('a circular reference, a getter that throws, and a __proto__ key', () => {
    const circle: Record<string, unknown> = { name: 'a' }
    circle.self = circle
    expect(redact(circle)).toEqual({ name: 'a', self: '[Circular]' })
    const bad = {
      get x(): never {
        throw new Error('no')
      },
    }
    expect(redact({ bad })).toEqual({ bad: '[Unreadable]' })
    expect(redactFields(bad)).toEqual({ '[Unreadable]': true })
    expect(JSON.stringify(redact(JSON.parse('{"__proto__":{"token":"t"}}')))).toBe(
      '{"__proto__":{"token":"[REDACTED]"}}',
    )
  })

  test('limits depth and size', () => {
    let deep: unknown = { password: 'x' }
    for (let i = 0; i < 10_000; i++) deep = { deep }
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`k${i}`, { n: i }]))
    const text = JSON.stringify(redact({ deep, wide, long: 'a'.repeat(1_000_000), list: new Array(10_000).fill(0) }))
    expect(text.length).toBeLessThan(100_000)
    expect(text).not.toContain('"x"')
  })

  test('no secret gets through at any position', () => {
    const secret = 'hunter2-canary'
    const holder = fc.constantFrom(...contract, 'userPassword', 'refreshToken').map((key) => ({ [key]: secret }))
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        holder,
        fc.string(),
        fc.array(tie('tree'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('tree'), { maxKeys: 4 }),
        tie('tree').map((each) => Object.assign(new Error('e'), { each })),
      ),
    }))
    fc.assert(
      fc.property(tree, (value) => {
        expect(JSON.stringify(redact(value)) ?? '').not.toContain(secret)
      }),
      { numRuns: 500 },
    )
  })
})
