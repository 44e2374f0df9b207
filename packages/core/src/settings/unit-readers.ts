import { type Bounds, createReader, type Reader, range, within } from './reader.ts'

const milliseconds = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

const byteUnits = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

export type DurationUnit = keyof typeof milliseconds

/** `500ms`, `2s`, `5m`, `1h`, `1d`, or a number alone in `unit`. The value is in milliseconds, and so are the bounds. */
export function durationReader({ least = 0, most = 86_400_000 }: Bounds, unit: DurationUnit): Reader<number> {
  const plain = { s: 'seconds', ms: 'milliseconds', m: 'minutes', h: 'hours', d: 'days' }[unit]
  return unitReader('a duration', `such as 500ms, 2s or 5m; a number alone is ${plain}`, milliseconds, unit, {
    least,
    most,
  })
}

/** `512KiB`, `1MiB`, or a number of bytes. */
export function bytesReader({ least = 1, most = Number.MAX_SAFE_INTEGER }: Bounds): Reader<number> {
  return unitReader('a size', 'such as 512KiB or 1MiB; a number alone is bytes', byteUnits, 'B', { least, most })
}

function unitReader<Unit extends string>(
  what: string,
  how: string,
  units: Readonly<Record<Unit, number>>,
  plain: NoInfer<Unit>,
  { least, most }: Required<Bounds>,
): Reader<number> {
  const show = (value: number): string => showIn(value, units)
  return createReader(
    `${what}${range(least, most, show)} (${how})`,
    (text) => {
      const [, digits = '', unit = plain] = /^((?:0|[1-9]\d{0,14})(?:\.\d{1,3})?)([A-Za-z]+)?$/.exec(text) ?? []
      if (digits === '' || !isUnit(unit, units)) return undefined
      const value = Number(digits) * units[unit]
      return Number.isSafeInteger(value) ? within(value, least, most) : undefined
    },
    show,
  )
}

function isUnit<Unit extends string>(text: string, units: Readonly<Record<Unit, number>>): text is Unit {
  return Object.hasOwn(units, text)
}

/** In the largest unit that divides it. */
function showIn(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, size] = Object.entries(units).findLast(([, each]) => value % each === 0 && value >= each) ??
    Object.entries(units)[0] ?? ['', 1]
  return `${value / size}${unit}`
}
