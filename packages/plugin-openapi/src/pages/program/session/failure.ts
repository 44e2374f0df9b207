import { CallError } from '@twinwire/client'
import { fieldsOf } from '../model/json.ts'
import { missingOf, type Operation, sayDemands } from '../model/model.ts'
import type { NewEntry } from './activity.ts'

/** Who has called. */
export interface Calling {
  readonly isSignedIn: boolean
  /** Null: the token does not say, or there is none. */
  readonly roles: readonly string[] | null
  /** With which the last connection was closed; null if it was not. */
  readonly closeCode: number | null
}

/** The close code for a token that is missing, wrong or expired. */
const notAuthenticated = 4001

/** What became of a call that failed, for people. */
export function failureOf(
  error: unknown,
  isStopped: boolean,
  operation: Operation,
  calling: Calling,
): Pick<NewEntry, 'data' | 'message'> {
  if (isStopped) return { message: 'Stopped', data: undefined }
  // An input that has no place in a request, for example.
  if (!(error instanceof CallError))
    return { message: error instanceof Error ? error.message : String(error), data: undefined }
  const { code, msg, details, retryAfterMs, outcomeUnknown } = error
  const isRefused = isClosedUnauthenticated(error, calling)
  // Without a token no such route is executed.
  const isNotExecuted = isRefused && !calling.isSignedIn && operation.access !== 'public'
  const isAboutAccess = isRefused || code === 'permission_denied' || code === 'authentication_failed'
  const facts = [
    `${code}: ${msg}`,
    ...(isRefused ? [`The app has closed the connection: ${sayToken(calling)}`] : []),
    ...(retryAfterMs === null ? [] : [`Try again after ${retryAfterMs} ms`]),
    ...(outcomeUnknown && !isNotExecuted ? ['It may have been executed'] : []),
    ...(isAboutAccess ? sayMissing(operation, calling) : []),
  ]
  return { message: facts.join('\n'), data: details ?? undefined }
}

function isClosedUnauthenticated({ code, details }: CallError, { closeCode }: Calling): boolean {
  if (code === 'closed') return fieldsOf(details)['code'] === notAuthenticated
  return code === 'connection_lost' && closeCode === notAuthenticated
}

function sayToken({ isSignedIn }: Calling): string {
  return isSignedIn ? 'it does not accept the token, or it has expired' : 'it wants a token'
}

function sayMissing({ demands, access }: Operation, { isSignedIn, roles }: Calling): readonly string[] {
  const needs = sayDemands(demands)
  if (!isSignedIn)
    return access === 'public' ? [] : [`It needs ${needs === '' ? 'a signed-in user' : needs}; you are not signed in`]
  if (roles === null) return [`It needs: ${needs || 'no role'}`, 'What you have cannot be read from the token']
  const missing = missingOf(demands, roles)
  const lines = [`It needs: ${needs || 'no role'}`, `You have: ${roles.join(', ') || 'no role'}`]
  if (missing === null) return lines
  return [
    ...lines,
    `You lack: ${[...missing.roles, ...missing.oneOf.map((group) => `one of ${group.join(', ')}`)].join(', ')}`,
  ]
}
