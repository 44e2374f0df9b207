export type FindingLevel = 'ok' | 'warn' | 'error'

/** One result of a check. The message is a sentence; that of a `warn` or an `error` says what to change. */
export interface Finding {
  readonly check: string
  readonly level: FindingLevel
  readonly message: string
}

/** The report of the doctor; converted to a string, a line for each finding. */
export interface DoctorReport {
  /** No finding is an error. */
  readonly ok: boolean
  /** In the order of the checks. */
  readonly findings: readonly Finding[]
  toString(): string
}

/** A finding without the name of its check. */
export type CheckResult = Omit<Finding, 'check'>

export const ok = (check: string, message: string): Finding => ({ check, level: 'ok', message })
export const warn = (check: string, message: string): Finding => ({ check, level: 'warn', message })
export const error = (check: string, message: string): Finding => ({ check, level: 'error', message })

export function createReport(findings: readonly Finding[]): DoctorReport {
  return {
    ok: findings.every(({ level }) => level !== 'error'),
    findings,
    toString: () => findings.map(toLine(Math.max(0, ...findings.map(({ check }) => check.length)))).join('\n'),
  }
}

function toLine(width: number): (finding: Finding) => string {
  return ({ check, level, message }) => `${level.padEnd(5)}  ${check.padEnd(width)}  ${message.replaceAll('\n', ' ')}`
}
