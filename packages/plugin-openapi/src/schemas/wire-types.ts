import { type Json, type Node, type Side, toList } from './node.ts'

const day = String.raw`(?:\d{4}|[+-]\d{6})-\d\d-\d\d`
const time = String.raw`T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`
const base64Pattern = '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$'

const dates: Readonly<Record<Side, Json>> = {
  input: {
    type: 'string',
    pattern: `^${day}(?:${time})?$`,
    anyOf: [{ format: 'date-time' }, { format: 'date' }],
    'x-note': 'A day is midnight UTC; a day that does not exist is refused',
  },
  output: { type: 'string', format: 'date-time' },
}
const bigints: Json = {
  type: 'string',
  pattern: String.raw`^-?(?:0|[1-9]\d{0,1022})$`,
  'x-note': 'A decimal integer as text',
}
const bytes: Json = { type: 'string', contentEncoding: 'base64', pattern: base64Pattern }

/** What JSON does not have is text on the wire. Null for every other schema. */
export function toWireKeywords({ type, class: of, literal, options }: Node, side: Side): Json | null {
  if (type === 'date' || (type === 'instance' && of === Date)) return dates[side]
  if (type === 'bigint') return bigints
  if (type === 'literal' && typeof literal === 'bigint') return { type: 'string', const: String(literal) }
  if (type === 'picklist' && toList(options).some((option) => typeof option === 'bigint'))
    return { enum: toList(options).map((option) => (typeof option === 'bigint' ? String(option) : option)) }
  return type === 'instance' && (of === Uint8Array || of === Buffer) ? bytes : null
}
