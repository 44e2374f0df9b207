import { describe, expect, test } from 'vitest'
import { UnavailableError } from '../errors/app-error.ts'
import { mapDatabaseError } from './errors.ts'

/** As drizzle throws it: the driver's error in `cause`. */
function query(cause: object): Error {
  const secret = { query: 'select secret from t', params: ['secret'] }
  return Object.assign(new Error('Failed query: select secret\nparams: secret', { cause }), secret)
}
const server = (code: string, more: object = {}) =>
  Object.assign(new Error('secret'), { code, severity: 'ERROR', detail: 'Key (secret)=(secret)', ...more })

describe('mapDatabaseError', () => {
  test.each([
    ['23505', 'conflict'],
    ['23P01', 'conflict'],
    ['23503', 'conflict'],
    ['23001', 'conflict'],
    ['40001', 'conflict'],
    ['40P01', 'conflict'],
    ['23502', 'validation_error'],
    ['23514', 'validation_error'],
    ['22001', 'validation_error'],
    ['22P02', 'validation_error'],
    ['57P01', 'unavailable'],
    ['57P02', 'unavailable'],
    ['57P03', 'unavailable'],
    ['53300', 'unavailable'],
    ['08006', 'unavailable'],
    ['42P01', 'database_error'],
    ['53100', 'database_error'],
    ['57014', 'deadline_exceeded'],
    ['55P03', 'conflict'],
    ['25P03', 'unavailable'],
    ['25006', 'database_error'],
    ['25P02', 'database_error'],
    ['26000', 'unavailable'],
    ['0A000', 'database_error'],
  ])('SQLSTATE %s is %s, behind drizzle and bare, and keeps the cause to itself', (code, expected) => {
    for (const error of [query(server(code)), server(code), new Error('outer', { cause: query(server(code)) })]) {
      const mapped = mapDatabaseError(error)
      expect(mapped?.code).toBe(expected)
      expect(mapped?.cause).toBe(error)
      expect(`${mapped?.message} ${JSON.stringify(mapped?.details)}`).not.toContain('secret')
    }
  })

  test('a plan that a changed table made stale is unavailable, in whatever language the server says so', () => {
    expect(mapDatabaseError(query(server('0A000', { routine: 'RevalidateCachedQuery' })))?.code).toBe('unavailable')
    expect(mapDatabaseError(query(server('0A000', { routine: 'transformOnConflictClause' })))?.code).toBe(
      'database_error',
    )
  })

  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    'ENOTFOUND',
    'CONNECTION_CLOSED',
    'CONNECTION_ENDED',
    'CONNECT_TIMEOUT',
  ])('%s of a query is unavailable', (code) => {
    expect(mapDatabaseError(query(Object.assign(new Error('x'), { code })))?.code).toBe('unavailable')
  })

  test('the same code of a caller else is not ours: a handler may call other servers', () => {
    const foreign = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    expect(mapDatabaseError(foreign)).toBeNull()
    expect(mapDatabaseError(new TypeError('fetch failed', { cause: foreign }))).toBeNull()
    expect(mapDatabaseError(Object.assign(new Error('write'), { code: 'EPIPE' }))).toBeNull()
  })

  test('an error that is not of a database is null', () => {
    const ring = new Error('ring')
    ring.cause = ring
    for (const value of [new Error('x'), ring, 'text', null, undefined, 7, { code: 23505 }, { code: '23505' }]) {
      expect(mapDatabaseError(value)).toBeNull()
    }
  })

  test('a query that failed for a reason missing knows is a database_error', () => {
    expect(mapDatabaseError(query(new Error('PGlite is closed')))?.code).toBe('database_error')
    expect(mapDatabaseError(query({}))?.code).toBe('database_error')
  })

  test('constraint and column, in the words of either driver', () => {
    const details = (more: object, code: string) => mapDatabaseError(query(server(code, more)))?.details
    expect(details({ constraint: 'a_key' }, '23505')).toEqual({ constraint: 'a_key' })
    expect(details({ constraint_name: 'a_key' }, '23505')).toEqual({ constraint: 'a_key' })
    expect(details({ column: 'name' }, '23502')).toEqual([{ path: 'name', message: 'Value is required' }])
    expect(details({ column_name: 'name' }, '23502')).toEqual([{ path: 'name', message: 'Value is required' }])
    expect(details({}, '23514')).toEqual([{ path: '', message: 'Violates the constraint of the table' }])
  })

  test('an AppError that came through drizzle passes as it is', () => {
    const ended = new UnavailableError('The call ended before its database work')
    expect(mapDatabaseError(query(ended))).toBe(ended)
    expect(mapDatabaseError(new Error('outer', { cause: query(query(ended)) }))).toBe(ended)
  })
})

describe('the wording of a constraint', () => {
  const wordings = {
    plain: 'Taken',
    by_value: ({ name }: Readonly<Record<string, string>>) => `Author with name '${name}' already exists`,
    all: (values: object) => JSON.stringify(values),
    none: () => '',
  }
  const broken = (constraint: string, detail: string, code = '23505') =>
    mapDatabaseError(query(server(code, { constraint, detail })), wordings)

  test('is a string, or made of the values, and leaves the details as they are', () => {
    expect(broken('plain', '')).toMatchObject({ code: 'conflict', message: 'Taken', details: { constraint: 'plain' } })
    expect(broken('by_value', 'Key (name)=(Ann) already exists.')?.message).toBe(
      "Author with name 'Ann' already exists",
    )
    expect(broken('by_value', 'Key (name)=(A)=(B), (c) (d)) already exists.')?.message).toContain("'A)=(B), (c) (d)'")
    expect(broken('plain', '', '23514')).toMatchObject({ details: [{ path: '', message: 'Taken' }] })
    expect(broken('plain', '', '23503')?.message).toBe('Taken')
  })

  test.each([
    ['Key (name, country)=(Ann, US) already exists.', '{"name":"Ann","country":"US"}'],
    ['Schlüssel »(name)=(Ann)« existiert bereits.', '{"name":"Ann"}'],
    ['Key (name, country)=(Ann, of York, UK) already exists.', '{}'],
    ['Key (name)=(two\nlines) already exists.', '{"name":"two\\nlines"}'],
    ['', '{}'],
  ])('reads %j', (detail, values) => {
    expect(broken('all', detail)?.message).toBe(values)
  })

  test('that says nothing, or is of another constraint, leaves it to core', () => {
    expect(broken('none', '')?.message).toBe('A record with this value already exists')
    expect(broken('constructor', '')?.message).toBe('A record with this value already exists')
  })
})
