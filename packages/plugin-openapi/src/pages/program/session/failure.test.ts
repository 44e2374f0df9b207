import { CallError } from '@twinwire/client'
import { expect, it } from 'vitest'
import type { Operation } from '../model/model.ts'
import { type Calling, failureOf } from './failure.ts'

const operation: Operation = {
  name: 'GET_AUTHORS',
  summary: '',
  deprecated: false,
  pkgId: 1,
  http: null,
  access: 'authenticated',
  demands: { roles: ['get-authors'], anyRole: [], scopes: [] },
  steps: [],
  reply: 'value',
  deadlineMs: null,
  ordered: false,
  once: false,
  rateLimits: [],
  notes: [],
  ws: { input: null, output: null },
  overHttp: null,
  errors: [],
}
const unsigned: Calling = { isSignedIn: false, roles: null, closeCode: 4001 }
const opaque: Calling = { isSignedIn: true, roles: null, closeCode: 4001 }
const say = (error: unknown, calling: Calling, of: Operation = operation): string =>
  failureOf(error, false, of, calling).message
const closed = new CallError('closed', 'The connection ended: 4001 Authentication required', {
  details: { code: 4001, reason: 'Authentication required' },
})
const lost = new CallError('connection_lost', 'The connection ended', { outcomeUnknown: true })

it.each([closed, lost])('without a token a connection that is closed with 4001 is about access: %s', (error) => {
  const message = say(error, unsigned)
  expect(message).toContain('it wants a token')
  expect(message).toContain('It needs get-authors; you are not signed in')
  expect(message).not.toContain('may have been executed')
})

it('a token that is refused is not "not signed in"; a call before it expired may have been executed', () => {
  expect(say(closed, opaque)).toContain('it does not accept the token, or it has expired')
  expect(say(closed, opaque)).toContain('It needs: get-authors\nWhat you have cannot be read from the token')
  expect(say(closed, opaque)).not.toContain('not signed in')
  expect(say(lost, opaque)).toContain('It may have been executed')
  expect(say(lost, unsigned, { ...operation, access: 'public' })).toContain('It may have been executed')
})

it('another end of a connection is not about access', () => {
  expect(say(lost, { ...unsigned, closeCode: 1006 })).toBe(
    'connection_lost: The connection ended\nIt may have been executed',
  )
})

it('a missing role is named', () => {
  const error = new CallError('permission_denied', 'Permission denied')
  expect(say(error, { isSignedIn: true, roles: ['other'], closeCode: null })).toBe(
    'permission_denied: Permission denied\nIt needs: get-authors\nYou have: other\nYou lack: get-authors',
  )
})
