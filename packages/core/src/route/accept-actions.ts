import type { ValibotAction } from '../base/valibot.ts'

/** True for a value that an action of a pipe accepts and returns as it is. */
type Test<T> = (value: T) => boolean
type Text = string

/** Formats whose `requirement` is an expression that the string is tested by. */
const formats = new Set(
  `base64 bic cuid2 decimal digits domain email emoji hex_color hexadecimal ip ipv4 ipv6 iso_date iso_date_time iso_date_time_second
  iso_time iso_time_second iso_timestamp iso_week isrc jws_compact ksuid mac mac48 mac64 nanoid octal regex rfc_email slug ulid uuid`.split(
    /\s+/,
  ),
)

/** Transformations that return a value as it is. */
const namesOnly = new Set(['brand', 'flavor', 'readonly'])

/** Actions that change nothing and reject nothing. */
export function isIdle({ kind, type }: ValibotAction): boolean {
  return kind === 'metadata' || (kind === 'transformation' && namesOnly.has(type))
}

/** Null for an action that is not known here. `false` of a transformation means: it would change the string. */
export function toStringTest(action: ValibotAction): Test<Text> | null {
  const { kind, type, requirement } = action
  if (kind === 'transformation') return toUnchangedTest(type)
  if (requirement instanceof RegExp) {
    // With these flags `test` depends on the call before.
    if (!formats.has(type) || requirement.global || requirement.sticky) return null
    return (text) => requirement.test(text)
  }
  if (typeof requirement !== 'string') return toLengthTest(action)
  switch (type) {
    case 'starts_with':
      return (text) => text.startsWith(requirement)
    case 'ends_with':
      return (text) => text.endsWith(requirement)
    case 'includes':
      return (text) => text.includes(requirement)
    case 'excludes':
      return (text) => !text.includes(requirement)
    default:
      return null
  }
}

function toUnchangedTest(type: string): Test<Text> | null {
  switch (type) {
    case 'trim':
      return (text) => text.trim() === text
    case 'trim_start':
      return (text) => text.trimStart() === text
    case 'trim_end':
      return (text) => text.trimEnd() === text
    case 'to_lower_case':
      return (text) => text.toLowerCase() === text
    case 'to_upper_case':
      return (text) => text.toUpperCase() === text
    default:
      return null
  }
}

/** Of strings and arrays. */
export function toLengthTest({ kind, type, requirement }: ValibotAction): Test<{ readonly length: number }> | null {
  if (kind !== 'validation') return null
  if (type === 'non_empty') return ({ length }) => length > 0
  if (type === 'empty') return ({ length }) => length === 0
  if (typeof requirement !== 'number') return null
  switch (type) {
    case 'min_length':
      return ({ length }) => length >= requirement
    case 'max_length':
      return ({ length }) => length <= requirement
    case 'length':
      return ({ length }) => length === requirement
    case 'not_length':
      return ({ length }) => length !== requirement
    default:
      return null
  }
}

export function toNumberTest({ kind, type, requirement }: ValibotAction): Test<number> | null {
  if (kind !== 'validation') return null
  if (type === 'integer') return Number.isInteger
  if (type === 'safe_integer') return Number.isSafeInteger
  if (type === 'finite') return Number.isFinite
  if (typeof requirement !== 'number') return null
  switch (type) {
    case 'min_value':
      return (value) => value >= requirement
    case 'max_value':
      return (value) => value <= requirement
    case 'gt_value':
      return (value) => value > requirement
    case 'lt_value':
      return (value) => value < requirement
    case 'multiple_of':
      return (value) => value % requirement === 0
    default:
      return null
  }
}
