import { BootError, toShownMessage } from '../../base/boot-error.ts'
import { type Clock, systemClock, withTimeout } from '../../base/clock.ts'
import type { DoctorHost, NamedCheck } from '../../base/doctor.ts'
import { createReport, type DoctorReport, error, type Finding } from '../../base/finding.ts'
import type { Machine } from '../../base/machine.ts'
import type { Transport } from '../../transport/transport.ts'
import type { ResolvedOptions } from '../resolve-options.ts'
import { checkBroker } from './check-broker.ts'
import { checkClock, checkCluster, checkNode } from './check-node.ts'
import { checkEnvironment, checkLimits, checkProduction } from './check-options.ts'
import { checkPeer, findSchemaPeers, type NeededPeer } from './check-peers.ts'
import { readMachine } from './machine.ts'

export interface ExaminedApp {
  readonly options: ResolvedOptions
  readonly transport: Transport
  readonly clock: Clock
  /** Checks that plugins added in `setup`. */
  readonly checks: readonly NamedCheck[]
}

/** Time limit of a check of a plugin or the broker. */
const checkTimeoutMs = 5000

/** Runs all checks that need neither a port nor a connection. */
export async function examineApp(app: ExaminedApp, machine: Machine = readMachine()): Promise<DoctorReport> {
  const { options, transport, clock } = app
  const { checks, peers } = askParts(options)
  const findings: Finding[] = [
    checkNode(machine),
    ...checkCluster(machine),
    ...(transport.doctor?.(machine) ?? []),
    await checkClock(clock),
    ...[...findSchemaPeers(options), ...peers].map((peer) => checkPeer(peer, machine)),
    checkEnvironment(options),
    ...checkProduction(options, transport),
    ...checkLimits(options),
    checkBroker(options),
  ]
  for (const each of [...checks, ...app.checks]) findings.push(...(await runCheck(each)))
  return createReport(findings)
}

/** Checks and peers of the plugins and the broker. */
function askParts(options: ResolvedOptions): { checks: NamedCheck[]; peers: NeededPeer[] } {
  const { plugins, broker, environment } = options
  const checks: NamedCheck[] = []
  const peers: NeededPeer[] = []
  for (const part of [...plugins, broker]) {
    const host: DoctorHost = {
      environment,
      doctor: (name, check) => void checks.push({ name, check }),
      peer: (name, why, importedBy) =>
        void peers.push({ name, why, importedBy: importedBy === undefined ? 'app' : new URL(importedBy) }),
    }
    part.doctor?.(host)
  }
  return { checks, peers }
}

async function runCheck({ name, check }: NamedCheck): Promise<readonly Finding[]> {
  try {
    // The system clock, because the app's clock may be a virtual one.
    const result = await withTimeout(systemClock, checkTimeoutMs, 'it', check)
    const results = 'level' in result ? [result] : result
    return results.map(({ level, message }) => ({ check: name, level, message }))
  } catch (reason) {
    if (reason instanceof BootError) return [error(name, toShownMessage(reason))]
    return [error(name, `The check failed: ${reason instanceof Error ? reason.message : String(reason)}`)]
  }
}
