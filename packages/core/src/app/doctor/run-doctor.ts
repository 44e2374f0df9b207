import { dropSafe, warnOfDropped } from '../../base/drop-safe.ts'
import type { DoctorReport } from '../../base/finding.ts'
import type { MaybePromise } from '../../base/maybe-promise.ts'

export interface RunDoctorOptions {
  /** Default: the arguments of the process. `--json` prints JSON. */
  readonly args?: readonly string[]
  /** Receives the report as text. Default: `console.log`. */
  readonly print?: (report: string) => void
}

/**
 * The doctor as a command: creates the app, prints one line per finding, and sets exit code 1 when one is an error. An app that cannot be
 * created (settings, routes, options) is reported as a finding, and so is a missing package, if it is imported within `create`.
 *
 * @example
 * // doctor.ts
 * await runDoctor(async () => {
 *   const { createMyApp } = await import('./app.ts')
 *   return createMyApp()
 * })
 */
export function runDoctor(
  create: () => MaybePromise<{ doctor(): Promise<DoctorReport> }>,
  { args = process.argv.slice(2), print = (report) => console.log(report) }: RunDoctorOptions = {},
): Promise<DoctorReport> {
  return dropSafe(run(create, args, print), 'runDoctor', {
    dropped(error, promise) {
      warnOfDropped.dropped(error, promise)
      process.exitCode ??= 1
    },
  })
}

async function run(
  create: () => MaybePromise<{ doctor(): Promise<DoctorReport> }>,
  args: readonly string[],
  print: (report: string) => void,
): Promise<DoctorReport> {
  const report = await examine(create)
  const { ok, findings } = report
  print(args.includes('--json') ? JSON.stringify({ ok, findings }, null, 2) : report.toString())
  if (!ok) process.exitCode = 1
  return report
}

async function examine(create: () => MaybePromise<{ doctor(): Promise<DoctorReport> }>): Promise<DoctorReport> {
  try {
    const app = await create()
    return await app.doctor()
  } catch (reason) {
    // Loaded when something failed, like the doctor itself.
    const { explainFailure } = await import('./explain-failure.ts')
    const report = await explainFailure(reason)
    if (report === null) throw reason
    return report
  }
}
