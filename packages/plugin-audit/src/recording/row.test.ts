import { type Call, NotFoundError, PermissionDeniedError } from '@twinwire/core'
import { createVirtualClock } from '@twinwire/core/testing'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RowMaker } from './row.ts'
import { createRowId } from './row-id.ts'

const route = { name: 'R', pkgId: 1, method: 'GET', path: '/a/:id', access: 'public', summary: '', files: false }

/** What a row reads of a call. */
const callOf = (fields: Partial<Call>): Call =>
  ({
    id: 'c',
    wire: 'http',
    method: 'GET',
    path: '/a/5',
    route,
    identity: null,
    address: '::1',
    headers: {},
    ...fields,
  }) as Call

const create = (roles: () => readonly string[] = () => ['admin']) => {
  const failures: unknown[] = []
  const maker = new RowMaker({
    clock: createVirtualClock(),
    maxRowBytes: 8192,
    roles,
    failed: (error) => failures.push(error),
  })
  const rowOf = (fields: Partial<Call>, input?: unknown, error: Error | null = null): Record<string, unknown> => {
    const call = callOf(fields)
    maker.keepInput(call, input)
    const ending = { error: error as never, aborted: false, httpStatus: 200, durationMs: 1.23456 }
    const { json } = maker.toRow(call, ending)
    expect(Buffer.byteLength(json)).toBeLessThanOrEqual(8192)
    return JSON.parse(json)
  }
  return { rowOf, failures }
}

test('is what a database takes, whatever a call contains [defect 53]', () => {
  const { rowOf } = create()
  const odd = '\u0000\ud800a\n\u0007"\\'
  const long = odd.repeat(5000)
  const row = rowOf(
    {
      id: long,
      path: `/${long}`,
      address: long,
      headers: { 'user-agent': long },
      identity: { id: long, name: long },
    },
    { [odd]: odd, list: [[odd]] },
    new NotFoundError(long),
  )
  expect(JSON.stringify(row)).not.toMatch(/\\u0000|\\ud800/)
  expect(Object.keys(Object(row.request_data))).toEqual(['\ufffd\ufffda\n\u0007"\\', 'list'])
  for (const column of ['request_id', 'resource', 'ip_address', 'user_agent', 'user_id', 'username', 'error_message'])
    expect(row[column]).toMatch(/\[…\]$/)
})

test('cuts an input that is too long, and keeps its beginning', () => {
  const { rowOf } = create()
  for (const text of ['x', '"', 'ü', '😀', '\u0001']) {
    const { request_data } = rowOf({}, { text: text.repeat(9000) })
    expect(request_data).toMatch(/^\{"text":".*\[…\]$/s)
    expect(String(request_data).length).toBeGreaterThan(500)
  }
})

test('any input makes a row of JSON within its limit, without a character that jsonb refuses', () => {
  const { rowOf } = create()
  const text = fc.string({ unit: 'binary', maxLength: 40 })
  fc.assert(
    fc.property(
      fc.anything({ key: text, values: [text, fc.bigInt(), fc.date(), fc.uint8Array()] }),
      text,
      (input, id) => {
        const row = rowOf({ id, path: `/${id}`, headers: { 'user-agent': id } }, input)
        expect(JSON.stringify(row)).not.toMatch(/\\u0000|\\ud[89a-f]/)
      },
    ),
    { numRuns: 500 },
  )
})

test('has nothing of a token that is longer than its column', () => {
  const { rowOf } = create()
  const claims = 'c2VjcmV0'.repeat(3000)
  const token = `eyJhbGciOiJSUzI1NiJ9.${claims}.c2lnbmF0dXJl`
  const row = rowOf(
    { headers: { 'user-agent': `a ${token}` } },
    { note: `a ${token}` },
    new NotFoundError(`a ${token}`),
  )
  expect(row).toMatchObject({ user_agent: 'a [REDACTED]', error_message: 'a [REDACTED]' })
  expect(JSON.stringify(row)).not.toContain('c2VjcmV0')
})

test('has the outcome of the error [defect 56]', () => {
  const { rowOf } = create()
  expect(rowOf({}).outcome).toBe('success')
  expect(rowOf({}, undefined, new PermissionDeniedError()).outcome).toBe('permission_denied')
  expect(rowOf({}, undefined, new NotFoundError()).outcome).toBe('error')
})

test('has roles, and a function of the app that fails does not cost the row [defect 60]', () => {
  const identity = { id: '1', name: 'Ann' }
  expect(create().rowOf({ identity }).user_roles).toEqual(['admin'])
  const failing = create(() => {
    throw new Error('no roles')
  })
  expect(failing.rowOf({ identity }).user_roles).toEqual([])
  expect(failing.failures).toHaveLength(1)
})

test.each([
  ['/a/hunter2', '/a/:token', '/a/[REDACTED]'],
  ['/a/b/hunter2/c', '/a/*secret', '/a/[REDACTED]/[REDACTED]/[REDACTED]'],
  ['/a/password=hunter2', '/a/:id', '/a/password=[REDACTED]'],
  ['/a/pass%77ord%3Dhunter2', '/a/:id', '/a/[REDACTED]'],
  ['/reset/token/hunter2', null, '/reset/token/[REDACTED]'],
  ['/password/change', '/password/change', '/password/change'],
  ['/a/%zz', null, '/a/%zz'],
])('the path %s of %s is %s', (path, pattern, resource) => {
  const { rowOf } = create()
  expect(rowOf({ path, route: { ...route, path: pattern, access: 'public' } }).resource).toBe(resource)
})

test('ids are in the order of time, also when the clock is set back', () => {
  const ids = [5000, 5000, 4000, 5001, 5001].map((now) => createRowId(now))
  for (let i = 0; i < 10_000; i++) ids.push(createRowId(5001))
  expect([...ids].sort()).toEqual(ids)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id))).toBe(true)
})
