import { describe, expect, test } from 'vitest'
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
    ['57014', 'database_error'],
    ['25P02', 'database_error'],
  ])('SQLSTATE %s is %s, behind drizzle and bare, and keeps the cause to itself', (code, expected) => {
    for (const error of [query(server(code)), server(code), new Error('outer', { cause: query(server(code)) })]) {
      const mapped = mapDatabaseError(error)
      expect(mapped?.code).toBe(expected)
      expect(mapped?.cause).toBe(error)
      expect(`${mapped?.message} ${JSON.stringify(mapped?.details)}`).not.toContain('secret')
    }
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

  test('the same code of somebody else is not ours: a handler may call other servers', () => {
    const foreign = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    expect(mapDatabaseError(foreign)).toBeNull()
    expect(mapDatabaseError(new TypeError('fetch failed', { cause: foreign }))).toBeNull()
    expect(mapDatabaseError(Object.assign(new Error('write'), { code: 'EPIPE' }))).toBeNull()
  })

  test('what is no error of a database is null', () => {
    const ring = new Error('ring')
    ring.cause = ring
    for (const value of [new Error('x'), ring, 'text', null, undefined, 7, { code: 23505 }, { code: '23505' }]) {
      expect(mapDatabaseError(value)).toBeNull()
    }
  })

  test('a query that failed for a reason nobody knows is a database_error', () => {
    expect(mapDatabaseError(query(new Error('PGlite is closed')))?.code).toBe('database_error')
    expect(mapDatabaseError(query({}))?.code).toBe('database_error')
  })

  test('constraint and column, in the words of either driver', () => {
    const details = (more: object, code: string) => mapDatabaseError(query(server(code, more)))?.details
    expect(details({ constraint: 'a_key' }, '23505')).toEqual({ constraint: 'a_key' })
    expect(details({ constraint_name: 'a_key' }, '23505')).toEqual({ constraint: 'a_key' })
    expect(details({ column: 'name' }, '23502')).toEqual([{ path: 'name', message: 'A value is needed' }])
    expect(details({ column_name: 'name' }, '23502')).toEqual([{ path: 'name', message: 'A value is needed' }])
    expect(details({}, '23514')).toEqual([{ path: '', message: 'Breaks the rule of the table' }])
  })
})
