import { BootError } from '../../base/boot-error.ts'
import { systemClock } from '../../base/clock.ts'
import { dropSafe, warnOfDropped } from '../../base/drop-safe.ts'
import { createReport, type DoctorReport, error, type Finding } from '../../base/finding.ts'
import type { Machine } from '../../base/machine.ts'
import type { MaybePromise } from '../../base/maybe-promise.ts'
import { checkClock, checkNode } from './check-node.ts'
import { checkPeer } from './check-peers.ts'
import { readMachine } from './machine.ts'

export interface RunDoctorOptions {
  /** Default: the arguments of the process. `--json` prints JSON. */
  readonly args?: readonly string[]
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
  { args = process.argv.slice(2) }: RunDoctorOptions = {},
): Promise<DoctorReport> {
  return dropSafe(run(create, args), 'runDoctor', {
    dropped(error, promise) {
      warnOfDropped.dropped(error, promise)
      process.exitCode ??= 1
    },
  })
}

async function run(
  create: () => MaybePromise<{ doctor(): Promise<DoctorReport> }>,
  args: readonly string[],
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
    const machine = readMachine()
    const finding = toFinding(reason, machine)
    if (finding === null) throw reason
    return createReport([checkNode(machine), await checkClock(systemClock), finding])
  }
}

/** Null for an unexpected error, which must keep its stack. */
function toFinding(reason: unknown, machine: Machine): Finding | null {
  if (reason instanceof BootError) {
    const [head = '', ...lines] = reason.message.split('\n').map((line) => line.trim())
    return error('boot', lines.length === 0 ? head : `${head} ${lines.join('; ')}`)
  }
  const name = findMissingPackage(reason)
  if (name === null) return null
  const finding = checkPeer({ name, why: 'the app imports it' }, machine)
  if (finding.level === 'error') return finding
  return error(
    finding.check,
    `The package ${name} is installed, but cannot be resolved where it is imported: run npm install ${name} there`,
  )
}

/** The package that an import could not resolve: `drizzle-orm` also for `drizzle-orm/pg-core`. */
function findMissingPackage(reason: unknown): string | null {
  if (!(reason instanceof Error) || !('code' in reason)) return null
  if (reason.code !== 'ERR_MODULE_NOT_FOUND' && reason.code !== 'MODULE_NOT_FOUND') return null
  return /Cannot find (?:package|module) '((?:@[\w.-]+\/)?[\w-][\w.-]*)[/']/.exec(reason.message)?.[1] ?? null
}
