import { systemClock } from '../clock/clock.ts'
import { BootError } from '../errors/boot-error.ts'
import type { MaybePromise } from '../util/maybe-promise.ts'
import { checkClock, checkNode } from './check-node.ts'
import { createReport, type DoctorReport, error } from './finding.ts'
import { readMachine } from './machine.ts'

export interface RunDoctorOptions {
  /** Default: those of the process. `--json` prints JSON. */
  readonly args?: readonly string[]
}

/**
 * The doctor as a command: creates the app, prints a line for each finding, and lets the process end with 1 when one is an error. An
 * app that cannot even be created (settings, table, options) is a finding too.
 *
 * @example
 * // doctor.ts
 * await runDoctor(() => createAuthorsApp(declared.read()))
 */
export async function runDoctor(
  create: () => MaybePromise<{ doctor(): Promise<DoctorReport> }>,
  { args = process.argv.slice(2) }: RunDoctorOptions = {},
): Promise<DoctorReport> {
  const report = await examine(create)
  const { ok, findings } = report
  console.log(args.includes('--json') ? JSON.stringify({ ok, findings }, null, 2) : report.toString())
  if (!ok) process.exitCode = 1
  return report
}

async function examine(create: () => MaybePromise<{ doctor(): Promise<DoctorReport> }>): Promise<DoctorReport> {
  try {
    const app = await create()
    return await app.doctor()
  } catch (reason) {
    if (!(reason instanceof BootError)) throw reason
    const message = reason.message.replaceAll('\n', ';').replaceAll(':;', ':').replaceAll(/\s+/g, ' ')
    return createReport([checkNode(readMachine()), await checkClock(systemClock), error('boot', message)])
  }
}
