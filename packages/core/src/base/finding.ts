export type FindingLevel = 'ok' | 'warn' | 'error'

/** One thing that was looked at. The message is a sentence; of a `warn` or an `error` it says what to change. */
export interface Finding {
  readonly check: string
  readonly level: FindingLevel
  readonly message: string
}

/** What the doctor found; as text a line for each finding. */
export interface DoctorReport {
  /** No finding is an error. */
  readonly ok: boolean
  /** In the order of the checks. */
  readonly findings: readonly Finding[]
  toString(): string
}

/** A finding of a check that has its name already. */
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
