import { readFileSync } from 'node:fs'

/** Fails with what to do where so many connections cannot be open at once. */
export function checkFileLimit(connections) {
  let limits = ''
  try {
    limits = readFileSync('/proc/self/limits', 'utf8')
  } catch {
    return
  }
  // Node raises the soft limit to the hard one.
  const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY)
  const needed = connections + 200
  if (limit < needed) {
    throw new Error(
      `${connections} connections need ${needed} open files, the limit is ${limit}: ulimit -n ${needed}, as root`,
    )
  }
}
