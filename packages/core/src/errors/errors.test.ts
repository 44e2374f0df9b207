import { describe, expect, it } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import * as errors from './app-error.ts'
import { errorCodes, rspCodeOf } from './codes.ts'
import { defineErrors } from './define-errors.ts'
import { Disconnect, disconnects } from './disconnect.ts'
import { toAppError } from './normalize.ts'
import { RSPCode } from './status.ts'

const { AppError, coreError, InternalError } = errors

describe('the table of errors', () => {
  it.each(Object.entries(errorCodes))('%s can be shown on both wires', (code, row) => {
    expect(code).toMatch(/^[a-z_]+$/)
    expect(Object.values(RSPCode)).toContain(row.status)
    expect(row.status).not.toBe(RSPCode.OK)
    expect(row.httpStatus).toSatisfy((status) => Number.isInteger(status) && status >= 400 && status <= 599)
    expect(row.message).toMatch(/^[A-Z].*[^.]$/)
  })

  it('says of a class what it says of its code', () => {
    const made = [
      [new errors.MalformedRequestError(), 'malformed_request'],
      [new errors.ValidationError(), 'validation_error'],
      [new errors.AuthenticationError(), 'authentication_failed'],
      [new errors.PermissionDeniedError(), 'permission_denied'],
      [new errors.NotFoundError(), 'not_found'],
      [new errors.ConflictError(), 'conflict'],
      [new errors.PayloadTooLargeError(1), 'payload_too_large'],
      [new errors.RateLimitError({ retryAfterMs: 1, limit: 1, remaining: 0 }), 'rate_limit_exceeded'],
      [new errors.DeadlineExceededError(1), 'deadline_exceeded'],
      [new errors.OutcomeUnknownError(), 'outcome_unknown'],
      [new errors.UnavailableError(), 'unavailable'],
      [new errors.DatabaseError(), 'database_error'],
      [new InternalError(), 'internal_error'],
      [coreError('method_not_allowed'), 'method_not_allowed'],
    ] as const
    for (const [error, code] of made) {
      const { status, httpStatus, retry } = errorCodes[code]
      expect(error).toMatchObject({ code, status, httpStatus, retry, name: 'AppError' })
      expect(error).toBeInstanceOf(Error)
      expect(AppError.is(error)).toBe(true)
    }
  })
})

describe('AppError', () => {
  it('has the message of its code unless it is given one', () => {
    expect(new errors.NotFoundError().message).toBe('Not found')
    expect(new errors.NotFoundError('No author 7').message).toBe('No author 7')
    expect(new errors.NotFoundError().details).toBeNull()
  })

  it('carries details, headers and a cause', () => {
    const cause = new Error('x')
    const error = new errors.ConflictError('Taken', { details: { name: 'a' }, headers: { 'x-a': '1' }, cause })
    expect(error).toMatchObject({ details: { name: 'a' }, headers: { 'x-a': '1' }, cause })
    expect('cause' in new errors.ConflictError()).toBe(false)
  })

  it('of what is known has its details', () => {
    const issues = [{ path: 'a', message: 'No' }]
    expect(new errors.ValidationError(undefined, issues).details).toBe(issues)
    expect(new errors.PayloadTooLargeError(10).details).toEqual({ max_bytes: 10 })
    expect(new errors.DeadlineExceededError(10).details).toEqual({ deadline_ms: 10 })
    const limited = new errors.RateLimitError(
      { retryAfterMs: 1001, limit: 5, remaining: 0 },
      { headers: { 'x-a': '1' } },
    )
    expect(limited.details).toEqual({ retry_after_ms: 1001, limit: 5, remaining: 0 })
    expect(limited.headers).toEqual({ 'retry-after': '2', 'x-a': '1' })
  })

  it('is known by its brand, whichever copy of the package made it', () => {
    const foreign = Object.defineProperty(new Error('x'), Symbol.for('twinwire.AppError'), { value: true })
    expect(AppError.is(foreign)).toBe(true)
    for (const other of [new Error('x'), null, undefined, 'x', {}, new BootError('bad_option', 'x')]) {
      expect(AppError.is(other)).toBe(false)
    }
    expect(Object.keys(new errors.ConflictError())).not.toContain('Symbol(twinwire.AppError)')
  })
})

describe('the status of a package', () => {
  it('is one for each HTTP status, but for the 409 that is not about the input', () => {
    const { idempotency_in_progress: inProgress, ...others } = errorCodes
    for (const { httpStatus, status } of Object.values(others)) expect(rspCodeOf(httpStatus)).toBe(status)
    expect([inProgress.httpStatus, inProgress.status]).toEqual([409, RSPCode.ERROR])
  })

  it.each([
    [400, RSPCode.INVALID_DATA],
    [401, RSPCode.PERMISSION_DENIED],
    [402, RSPCode.ERROR],
    [403, RSPCode.PERMISSION_DENIED],
    [404, RSPCode.ERROR],
    [409, RSPCode.INVALID_DATA],
    [418, RSPCode.ERROR],
    [422, RSPCode.INVALID_DATA],
    [429, RSPCode.ERROR],
    [503, RSPCode.ERROR],
  ])("of an application's own %i is that of core's", (httpStatus, status) => {
    expect(defineErrors('own', { x: { httpStatus, message: '' } }).x.row.status).toBe(status)
  })
})

describe('defineErrors', () => {
  const billing = defineErrors('billing', {
    declined: { httpStatus: 402, message: 'Declined' },
    busy: { httpStatus: 503, message: 'Busy', retry: true, status: RSPCode.PERMISSION_DENIED },
  })

  it('makes errors under a namespace', () => {
    expect(billing.declined()).toMatchObject({
      code: 'billing.declined',
      message: 'Declined',
      httpStatus: 402,
      status: RSPCode.ERROR,
      retry: false,
    })
    expect(billing.busy('Later', { details: 1 })).toMatchObject({
      code: 'billing.busy',
      message: 'Later',
      details: 1,
      status: RSPCode.PERMISSION_DENIED,
      retry: true,
    })
    expect(AppError.is(billing.declined())).toBe(true)
  })

  it('says of each factory what it makes', () => {
    expect([billing.busy.code, billing.busy.row.httpStatus]).toEqual(['billing.busy', 503])
    expect(Object.keys(billing)).toEqual(['declined', 'busy'])
    expect(Object.isFrozen(billing)).toBe(true)
  })
})

describe('toAppError', () => {
  const conflict = new errors.ConflictError()

  it('leaves an AppError as it is, unasked', () => {
    const never = (): never => {
      throw new Error('asked')
    }
    expect(toAppError(conflict, [never])).toBe(conflict)
  })

  it('asks the mappers in order', () => {
    const other = new errors.NotFoundError()
    expect(toAppError(new Error('x'), [() => null, () => conflict, () => other])).toBe(conflict)
  })

  it('makes internal_error of unknown errors, with the error as the cause', () => {
    const cause = new Error('x')
    const failing = (): never => {
      throw new Error('A mapper fails')
    }
    expect(toAppError(cause, [failing, () => null])).toMatchObject({ code: 'internal_error', cause, details: null })
    expect(toAppError('thrown string', [])).toMatchObject({ code: 'internal_error', cause: 'thrown string' })
    expect(toAppError(undefined, []).cause).toEqual(new Error('Thrown was undefined'))
  })
})

describe('the table of disconnects', () => {
  it.each(Object.entries(disconnects))('%s can be sent', (_name, { code, reason }) => {
    expect(code).toSatisfy(
      (n: number) => (n >= 1000 && n <= 1014 && ![1004, 1005, 1006].includes(n)) || (n >= 3000 && n <= 4999),
    )
    expect(Buffer.byteLength(reason)).toBeLessThanOrEqual(123)
  })

  it('is thrown as a Disconnect, known by its brand', () => {
    const cause = new Error('x')
    const thrown = new Disconnect(disconnects.unauthorized, { cause })
    expect(thrown).toMatchObject({
      code: 4001,
      reason: 'Unauthorized',
      name: 'Disconnect',
      message: '4001 Unauthorized',
      cause,
    })
    expect(Disconnect.is(thrown)).toBe(true)
    expect(Disconnect.is({ code: 4001, reason: 'x' })).toBe(false)
    expect(Disconnect.is(null)).toBe(false)
    expect(AppError.is(thrown)).toBe(false)
  })
})
