import { BootError } from '../base/boot-error.ts'
import type { SocketLimits } from './transport.ts'

export const defaultSocketLimits: SocketLimits = {
  maxPayloadBytes: 1024 * 1024,
  maxBackpressureBytes: 1024 * 1024,
  idleTimeoutSeconds: 120,
  sendPings: true,
  maxLifetimeMinutes: 0,
}

/** uWS casts numbers to int32 without a word (rule 42). */
const maxInt32 = 2 ** 31 - 1

/**
 * Refuses what the native layer would answer with the end of the process (rules 24 and 26), a silent cast (rule 42), or, for
 * a back pressure of 0, no limit at all (rule 10).
 */
export function checkSocketLimits(limits: SocketLimits): void {
  checkInteger('maxPayloadBytes', limits.maxPayloadBytes, 1024, maxInt32)
  checkInteger('maxBackpressureBytes', limits.maxBackpressureBytes, 1024, maxInt32)
  if (limits.idleTimeoutSeconds !== 0) checkInteger('idleTimeoutSeconds', limits.idleTimeoutSeconds, 8, 960, '0 or ')
  if (limits.maxLifetimeMinutes !== 0) checkInteger('maxLifetimeMinutes', limits.maxLifetimeMinutes, 1, 239, '0 or ')
}

function checkInteger(name: string, value: number, least: number, most: number, or = ''): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new BootError(
    'bad_option',
    `websocket.${name} must be ${or}a whole number from ${least} to ${most}, not ${value}`,
  )
}
