import type { CounterCell, Instruments } from '@twinwire/core/plugin'
import { type TokenReason, tokenErrors } from './errors.ts'

/** How credentials were sent. */
export type AuthMethod = 'http' | 'ws_frame' | 'ws_upgrade' | 'ws_renewal'
type AttemptStatus = 'success' | 'failure' | 'error'
/** What is requested from the issuer. */
export type IssuerRequest = 'discovery' | 'keys' | 'realm'
export type IssuerOutcome = 'success' | 'failure' | 'rejected'
type LogoutOutcome = (typeof logoutOutcomes)[number]
type Operation = IssuerRequest | 'validate_token' | 'validate_logout_token'

/** What this plugin counts. */
export interface AuthInstruments {
  /** Credentials were received; `reason` null: they were valid. */
  attempted(method: AuthMethod, reason: TokenReason | 'request' | null): void
  /** A token was verified, rather than found in the cache. */
  validated(reason: TokenReason | null): void
  requested(type: IssuerRequest, outcome: IssuerOutcome): void
  duration(operation: Operation, ms: number): void
  readonly cacheHits: CounterCell
  readonly cacheMisses: CounterCell
  loggedOut(outcome: LogoutOutcome): void
}

const methods = ['http', 'ws_frame', 'ws_upgrade', 'ws_renewal'] as const satisfies readonly AuthMethod[]
const attemptStatuses = ['success', 'failure', 'error'] as const satisfies readonly AttemptStatus[]
const wires = ['http', 'websocket'] as const
const backendOutcomes = ['success', 'denied', 'error'] as const
/** `error`: the issuer could not be reached, so the credentials could not be verified. */
const toBackendOutcome = { success: 'success', failure: 'denied', error: 'error' } as const
const validationStatuses = ['valid', 'expired', 'invalid', 'error'] as const
const requests = ['discovery', 'keys', 'realm'] as const satisfies readonly IssuerRequest[]
const outcomes = ['success', 'failure', 'rejected'] as const satisfies readonly IssuerOutcome[]
const logoutOutcomes = ['success', 'refused', 'unavailable', 'unsent'] as const
const operations = [...requests, 'validate_token', 'validate_logout_token'] as const satisfies readonly Operation[]
const buckets = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

export function createAuthInstruments(instruments: Instruments): AuthInstruments {
  const reasons = ['none', ...tokenErrors.map(({ reason }) => reason)]
  const attempts = instruments.counter('auth_attempts_total', 'Credentials received, by outcome', {
    status: attemptStatuses,
  })
  const keycloakAttempts = instruments.counter(
    'keycloak_auth_attempts_total',
    'Credentials received, by outcome and method',
    { status: attemptStatuses, method: methods },
  )
  const validations = instruments.counter('auth_token_validations_total', 'Tokens verified, by outcome', {
    status: validationStatuses,
  })
  const keycloakValidations = instruments.counter(
    'keycloak_token_validation_total',
    'Tokens verified, by outcome and reason of rejection',
    { status: validationStatuses, reason: reasons },
  )
  const backend = instruments.counter(
    'auth_backend_requests_total',
    'Credentials checked, by wire and outcome; error is an issuer that could not be reached',
    {
      type: wires,
      outcome: backendOutcomes,
    },
  )
  const issuer = instruments.counter(
    'auth_issuer_requests_total',
    'Requests to the issuer, by outcome: success, failure, rejected',
    {
      type: requests,
      outcome: outcomes,
    },
  )
  const durations = instruments.histogram(
    'keycloak_operation_duration_seconds',
    'Duration of a token verification and of a request to the issuer',
    buckets,
    { operation: operations },
  )
  const logouts = instruments.counter(
    'auth_logouts_total',
    'Back-channel logouts: success, refused, unavailable (it could not be verified), unsent (done on this node; the broker did not take it for the others)',
    {
      outcome: logoutOutcomes,
    },
  )
  const attempt = (status: AttemptStatus) => ({
    all: attempts.cell({ status }),
    by: new Map(
      methods.map((method) => [
        method,
        {
          attempts: keycloakAttempts.cell({ status, method }),
          backend: backend.cell({ type: method === 'http' ? 'http' : 'websocket', outcome: toBackendOutcome[status] }),
        },
      ]),
    ),
  })
  const attemptCells = { success: attempt('success'), failure: attempt('failure'), error: attempt('error') }
  const validation = (reason: string, status: (typeof validationStatuses)[number]) => ({
    all: validations.cell({ status }),
    by: keycloakValidations.cell({ status, reason }),
  })
  const validationCells = new Map<TokenReason | null, ReturnType<typeof validation>>([
    [null, validation('none', 'valid')],
    ...tokenErrors.map(({ reason, status }) => [reason, validation(reason, status)] as const),
  ])
  const durationCells = new Map(operations.map((operation) => [operation, durations.cell({ operation })]))
  return {
    cacheHits: instruments.counter('token_cache_hits_total', 'Tokens found in the cache of verified tokens').cell(),
    cacheMisses: instruments.counter('token_cache_misses_total', 'Tokens that had to be verified').cell(),
    attempted(method, reason) {
      const cells = attemptCells[reason === null ? 'success' : reason === 'unavailable' ? 'error' : 'failure']
      cells.all.inc()
      const by = cells.by.get(method)
      by?.attempts.inc()
      by?.backend.inc()
    },
    validated(reason) {
      const cells = validationCells.get(reason)
      cells?.all.inc()
      cells?.by.inc()
    },
    requested: (type, outcome) => issuer.cell({ type, outcome }).inc(),
    duration: (operation, ms) => durationCells.get(operation)?.observe(ms / 1000),
    loggedOut: (outcome) => logouts.cell({ outcome }).inc(),
  }
}
