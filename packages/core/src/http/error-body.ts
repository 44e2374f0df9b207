import type { AppError } from '../errors/app-error.ts'

/** The one error envelope of HTTP. */
export function toErrorBody({ code, message: msg, details }: AppError): string {
  return JSON.stringify({ error: { code, msg, details } })
}
