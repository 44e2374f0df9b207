import { BootError } from '@twinwire/core'

/** Refuses names that no option has. @throws BootError `unknown_option` */
export function checkOptions(what: string, options: object, names: Readonly<Record<string, true>>): void {
  if (typeof options !== 'object' || options === null)
    throw new BootError('bad_option', `${what} takes an object of options`)
  const unknown = Object.keys(options).filter((name) => !Object.hasOwn(names, name))
  if (unknown.length === 0) return
  throw new BootError(
    'unknown_option',
    `Unknown option of ${what}: ${unknown.join(', ')}; known: ${Object.keys(names).join(', ')}`,
  )
}

/** @throws BootError `bad_option` */
export function checkWholeNumber(
  what: string,
  value: number,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`
  throw new BootError('bad_option', `${what} must be a whole number ${range}, not ${String(value)}`)
}
