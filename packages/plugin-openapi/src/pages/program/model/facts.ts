// What both documents say of a route in the same extensions.
import { type Fields, fieldsOf, listOf, numberOf, stringsOf, textOf } from './json.ts'
import type { Demands, ErrorInfo, Operation } from './model.ts'

export type Facts = Omit<Operation, 'errors' | 'overHttp' | 'ws'>

export function readFacts(operation: Fields): Facts {
  const reply = textOf(operation['x-reply'])
  return {
    name: textOf(operation['x-route']),
    summary: textOf(operation['summary']),
    deprecated: operation['deprecated'] === true || operation['x-deprecated'] === true,
    pkgId: numberOf(operation['x-pkg-id']),
    http: textOf(operation['x-http']) || null,
    access: textOf(operation['x-access']),
    demands: readDemands(operation['x-steps']),
    steps: readSteps(operation['x-steps']),
    reply: reply === 'page' || reply === 'stream' || reply === 'value' ? reply : 'any',
    deadlineMs: numberOf(operation['x-deadline-ms']),
    ordered: operation['x-ordered'] === true,
    once: operation['x-once'] !== undefined,
    rateLimits: listOf(operation['x-rate-limit']).map(readLimit),
    notes: stringsOf(operation['x-notes']),
  }
}

export function readSteps(steps: unknown): readonly string[] {
  return listOf(steps).map((step) => textOf(fieldsOf(step)['name']))
}

export function readDemands(steps: unknown): Demands {
  const demands = listOf(steps).map((step) => fieldsOf(fieldsOf(step)['demands']))
  return {
    roles: [...new Set(demands.flatMap((each) => stringsOf(each['roles'])))],
    anyRole: demands.map((each) => stringsOf(each['anyRole'])).filter((each) => each.length > 0),
    scopes: [...new Set(demands.flatMap((each) => stringsOf(each['scopes'])))],
  }
}

function readLimit(limit: unknown): string {
  const { points, periodMs, key } = fieldsOf(limit)
  const seconds = (numberOf(periodMs) ?? 0) / 1000
  return `${points} calls in ${seconds} s${typeof key === 'string' ? `, for each ${key}` : ''}`
}

export function readErrors(rows: unknown): readonly ErrorInfo[] {
  return listOf(rows).map((row) => {
    const { code, status_code, http_status, message, retry } = fieldsOf(row)
    return {
      code: textOf(code),
      status: numberOf(status_code) ?? 1,
      httpStatus: numberOf(http_status) ?? 500,
      message: textOf(message),
      retry: retry === true,
    }
  })
}
