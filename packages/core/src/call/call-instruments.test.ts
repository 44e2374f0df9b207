import { expect, it } from 'vitest'
import { HistogramCell } from '../base/cells.ts'
import { Instruments } from '../base/instruments.ts'
import { NotFoundError } from '../errors/app-error.ts'
import { defineErrors } from '../errors/define-errors.ts'
import { type CallInstruments, createCallInstruments } from './call-instruments.ts'
import type { CallOutcome } from './call-outcome.ts'

const ok: CallOutcome = { error: null, aborted: false, httpStatus: 200, durationMs: 20 }
const failed = (error: CallOutcome['error']): CallOutcome => ({ ...ok, error, httpStatus: error?.httpStatus ?? 200 })
const billing = defineErrors('billing', { declined: { httpStatus: 402, message: 'Declined' } })
const other = defineErrors('other', { fault: { httpStatus: 500, message: 'A fault' } })

function create(): { calls: CallInstruments; read: (name: string) => Record<string, number> } {
  const instruments = new Instruments()
  const calls = createCallInstruments(instruments, {
    pkgIds: ['1'],
    endpoints: ['/a/:id'],
    methods: ['GET'],
    errorCodes: ['billing.declined'],
  })
  const read = (name: string): Record<string, number> =>
    Object.fromEntries(
      (instruments.families().find((family) => family.name === name)?.cells ?? []).map(({ labels, cell }) => [
        Object.values(labels).join(' '),
        cell instanceof HistogramCell ? cell.count : cell.value,
      ]),
    )
  return { calls, read }
}

it('counts requests by route and outcome', () => {
  const { calls, read } = create()
  const http = calls.http('GET', '/a/:id')
  http.count(ok)
  http.count({ ...ok, httpStatus: 504 })
  http.count(ok)
  http.inProgress.inc()
  expect(read('http_requests_total')).toEqual({ 'GET /a/:id 200': 2, 'GET /a/:id 504': 1 })
  expect(read('http_request_duration_seconds')).toEqual({ 'GET /a/:id': 3 })
  expect(read('http_requests_in_progress')).toEqual({ 'GET /a/:id': 1 })
})

it('counts in seconds', () => {
  const instruments = new Instruments()
  const routes = { pkgIds: ['1'], endpoints: [], methods: [], errorCodes: [] }
  createCallInstruments(instruments, routes).webSocket('1')(ok)
  const duration = instruments.families().find(({ type }) => type === 'histogram')?.cells[0]?.cell
  expect(duration).toMatchObject({ count: 1, sum: 0.02 })
})

it('gives what no route handles one series for each usual method, and one for all others', () => {
  const { calls, read } = create()
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'TRACE', 'get', '__proto__']
  for (const method of methods) calls.unmatchedHttp(method).count(failed(new NotFoundError()))
  expect(read('http_requests_total')).toEqual({
    ...Object.fromEntries(methods.slice(0, 7).map((method) => [`${method} unmatched 404`, 1])),
    'unmatched unmatched 404': 4,
  })
  expect(calls.unmatchedHttp('TRACE')).toBe(calls.unmatchedHttp('PROPFIND'))
})

it('counts errors by code and handler; an undeclared code is unmatched', () => {
  const { calls, read } = create()
  calls.http('GET', '/a/:id').count(failed(new NotFoundError()))
  calls.http('GET', '/a/:id').count(failed(other.fault()))
  calls.webSocket('1')(failed(billing.declined()))
  calls.webSocket('unmatched')(failed(new NotFoundError()))
  calls.webSocket('1')(ok)
  calls.refusedFrame('malformed_request')
  expect(read('app_errors_total')).toEqual({
    'not_found /a/:id': 1,
    'unmatched /a/:id': 1,
    'billing.declined websocket': 1,
    'not_found websocket': 1,
    'malformed_request websocket': 1,
  })
})
