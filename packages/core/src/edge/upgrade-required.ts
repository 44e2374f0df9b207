import { type AppError, coreError } from '../errors/app-error.ts'

const headers = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' }

/** 426: this path speaks WebSocket, in the version of RFC 6455, which is what RFC 9110 (15.5.22) wants to be said. */
export function upgradeRequired(message?: string): AppError {
  return coreError('upgrade_required', message, { headers })
}
