import { BootError } from '../../base/boot-error.ts'
import { systemClock } from '../../base/clock.ts'
import { createReport, type DoctorReport, error, type Finding } from '../../base/finding.ts'
import type { Machine } from '../../base/machine.ts'
import { checkClock, checkNode } from './check-node.ts'
import { checkPeer } from './check-peers.ts'
import { readMachine } from './machine.ts'

/** The report on an app that could not be created. Null for an unexpected error, which must keep its stack. */
export async function explainFailure(reason: unknown): Promise<DoctorReport | null> {
  const machine = readMachine()
  const finding = toFinding(reason, machine)
  return finding === null ? null : createReport([checkNode(machine), await checkClock(systemClock), finding])
}

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
