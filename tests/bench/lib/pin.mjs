import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import process from 'node:process'

/**
 * @typedef {object} Pins
 * @property {number} server the core of the server
 * @property {number} load the core of the load generator
 */

/**
 * Two cores to keep server and load generator apart; null where there are no two, or no `taskset`.
 *
 * @returns {Pins | null}
 */
export function choosePins() {
  const [server, load] = ownCores()
  if (server === undefined || load === undefined) return null
  try {
    execFileSync('taskset', ['--version'], { stdio: 'ignore' })
    return { server, load }
  } catch {
    return null
  }
}

/** Moves this process, all of its threads, to one core. */
export function pinSelf(core) {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', String(core), String(process.pid)], {
    stdio: 'ignore',
  })
}

/** The command that runs Node on one core, on some of them (`0,1`), or anywhere when `core` is null. */
export function pinned(core, nodeArgs) {
  if (core === null) return [process.execPath, nodeArgs]
  return ['taskset', ['--cpu-list', String(core), process.execPath, ...nodeArgs]]
}

/** The cores that this process may use. */
export function ownCores() {
  try {
    const [, list = ''] = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
    return list.split(',').flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number)
      return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    })
  } catch {
    return []
  }
}
