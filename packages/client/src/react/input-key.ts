import { isFields } from '../call-error.ts'
import { toBase64 } from '../json.ts'

/** Equal for inputs that are equal by value; the order of keys does not matter. */
export function inputKey(value: unknown): string {
  return JSON.stringify([value], function (this: Readonly<Record<string, unknown>>, key, written: unknown) {
    // The value before its `toJSON`: a Buffer has one.
    const raw = this[key]
    if (typeof raw === 'bigint') return `${raw}n`
    if (raw instanceof Uint8Array) return toBase64(raw)
    return isFields(written) ? Object.fromEntries(Object.entries(written).sort(byName)) : written
  })
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1
}
