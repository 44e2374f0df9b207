import type { ActiveCall } from '../call/active-call.ts'
import { callFields } from '../call/call-context.ts'
import type { CallOutcome } from '../call/call-outcome.ts'
import type { AccessLogger, RefusedConnection } from '../call/call-services.ts'
import { isServerFault } from '../errors/restarting-error.ts'
import type { ResolvedLogOptions } from '../log/log-options.ts'
import { redactPath } from '../log/redact-path.ts'

/**
 * Logs one line per refused WebSocket, and one per call: `info` for a success, `warn` for a client error, a disconnected client or a call that
 * a drain refused, `error` for a server error. Null when the access log is off, which then costs nothing; a success without a line costs two
 * comparisons.
 * In development the line of a call that failed ends with a link about its code.
 */
export function createAccessLog(options: ResolvedLogOptions): AccessLogger | null {
  const { logger, access, sampleSuccesses, excludedPaths } = options
  if (access === false) return null
  const logsSuccesses = access === 'all' && sampleSuccesses > 0
  let share = 0
  const log = (call: ActiveCall, outcome: CallOutcome): void => {
    const { httpStatus } = outcome
    const failed = httpStatus >= 400
    if (!failed && !logsSuccesses) return
    const level = isServerFault(httpStatus, outcome.error) ? 'error' : failed ? 'warn' : 'info'
    if (logger.isLevelEnabled?.(level) === false) return
    if (call.wire === 'http' && excludedPaths.has(call.route.path ?? '')) return
    if (!failed) {
      // Clients send pings all the time, and each says nothing.
      if (call.route.name === 'ping' && call.route.pkgId === null && call.wire === 'ws') return
      // Even sampling instead of random: at 0.1 exactly one call in ten is logged.
      share += sampleSuccesses
      if (share < 1 - 1e-9) return
      share -= 1
    }
    const text = outcome.aborted ? 'Client disconnected' : failed ? 'Call failed' : 'Call'
    const { errorLink } = call.services
    const about = errorLink === null || outcome.error === null || outcome.aborted ? '' : errorLink(outcome.error.code)
    logger[level](toFields(call, outcome), `${text}${about}`)
  }
  return Object.assign(log, {
    logsSuccesses: () => logsSuccesses && logger.isLevelEnabled?.('info') !== false,
    refused: (fields: RefusedConnection, isFault: boolean) =>
      logger[isFault ? 'error' : 'warn']({ wire: 'ws', ...fields }, 'WebSocket refused'),
  })
}

function toFields(call: ActiveCall, { error, httpStatus, durationMs }: CallOutcome): Record<string, unknown> {
  const fields = callFields(call)
  // Only of a request that no route handles.
  if (typeof fields.path === 'string') fields.path = redactPath(fields.path, null)
  fields.status_code = httpStatus
  fields.duration_ms = Math.round(durationMs * 1000) / 1000
  if (error !== null) fields.code = error.code
  return fields
}
