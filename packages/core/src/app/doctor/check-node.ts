import type { Clock } from '../../base/clock.ts'
import { readWorker } from '../../base/cluster-worker.ts'
import { error, type Finding, ok, warn } from '../../base/finding.ts'
import { type Machine, supportedNodes } from '../../base/machine.ts'
import { migrationAdvice } from '../../base/migrates-connections.ts'
import { isInRange } from './version-range.ts'

/** The year in which this version of core was built. A correct clock is never behind it. */
const builtInYear = 2026

export function checkNode({ node, manifest }: Machine): Finding {
  const range = manifest?.engines['node']
  if (range === undefined)
    return warn(
      'node',
      `Node ${node} cannot be checked: the package.json of @twinwire/core was not found; do not bundle core`,
    )
  if (isInRange(node, range)) return ok('node', `Node ${node} satisfies ${range}`)
  return error('node', `Node ${node} does not satisfy ${range}: use the latest Node ${supportedNodes}`)
}

/** For apps that run with `cluster()`, which this process cannot know unless it is a worker. */
export function checkCluster({ migratesConnections }: Machine): readonly Finding[] {
  if (migratesConnections === null) return []
  if (migratesConnections)
    return [ok('cluster', 'net.ipv4.tcp_migrate_req is 1: replacing a worker resets no connection')]
  return [
    readWorker() === null ? ok('cluster', `Only with cluster(): ${migrationAdvice}`) : warn('cluster', migrationAdvice),
  ]
}

/** Token expiry depends on the system clock, deadlines on the monotonic one. */
export async function checkClock(clock: Clock): Promise<Finding> {
  const year = new Date(clock.now()).getUTCFullYear()
  if (year < builtInYear) {
    return error(
      'clock',
      `The system clock is in ${year}, before this version was built (${builtInYear}): set it, for example with NTP`,
    )
  }
  const before = clock.monotonic()
  // A few turns of the event loop take longer than the resolution of any clock.
  for (let turn = 0; turn < 10 && clock.monotonic() === before; turn++) await new Promise(setImmediate)
  const passed = clock.monotonic() - before
  if (passed < 0) return error('clock', 'The monotonic clock goes backwards: pass createApp a clock that does not')
  if (passed === 0)
    return warn('clock', 'The monotonic clock does not advance: a virtual clock is for tests; remove the option clock')
  return ok('clock', `The system clock is in ${year}, and the monotonic clock advances`)
}
