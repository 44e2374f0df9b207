import type { Clock } from '../../base/clock.ts'
import { error, type Finding, ok, warn } from '../../base/finding.ts'
import type { Machine } from './machine.ts'
import { supportedNodes } from './supported-nodes.ts'
import { isInRange } from './version-range.ts'

/** The year of this version of core: no clock that is right says less. */
const builtInYear = 2026

export function checkNode({ node, manifest }: Machine): Finding {
  const range = manifest?.engines['node']
  if (range === undefined)
    return warn('node', `Node ${node} cannot be judged: the package.json of core is not found; do not bundle core`)
  if (isInRange(node, range)) return ok('node', `Node ${node} is within ${range}`)
  return error('node', `Node ${node} is outside of ${range}: use the newest Node ${supportedNodes}`)
}

/** Tokens and deadlines rest on both clocks. */
export async function checkClock(clock: Clock): Promise<Finding> {
  const year = new Date(clock.now()).getUTCFullYear()
  if (year < builtInYear) {
    return error(
      'clock',
      `The system clock says ${year}, before this version was built (${builtInYear}): set it, by NTP`,
    )
  }
  const before = clock.monotonic()
  // A few turns of the loop take longer than the resolution of any clock.
  for (let turn = 0; turn < 10 && clock.monotonic() === before; turn++) await new Promise(setImmediate)
  const passed = clock.monotonic() - before
  if (passed < 0) return error('clock', 'The monotonic clock goes backwards: pass createApp a clock that does not')
  if (passed === 0)
    return warn('clock', 'The monotonic clock stands still: a virtual clock is for tests, leave out the option clock')
  return ok('clock', `The system clock says ${year}, and the monotonic clock goes`)
}
