import { fromArrayText } from './array-text.ts'

/** Returns the value of PostgreSQL's text. */
export type Reader = (text: string) => unknown

/** The identifiers of PostgreSQL's built-in types (`pg_type.oid`). */
export const typeIds = {
  boolean: 16,
  bytea: 17,
  bigint: 20,
  json: 114,
  jsonb: 3802,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  numeric: 1700,
  byteaArray: 1001,
  dateArray: 1182,
  timestampArray: 1115,
  timestamptzArray: 1185,
} as const

/** PostgreSQL's array types, each with its element type: `select typarray, oid from pg_type`. */
const arrays =
  '143:142 199:114 271:5069 629:628 651:650 719:718 775:774 791:790 1000:16 1001:17 1002:18 1003:19 ' +
  '1005:21 1006:22 1007:23 1008:24 1009:25 1010:27 1011:28 1012:29 1013:30 1014:1042 1015:1043 1016:20 ' +
  '1017:600 1018:601 1019:602 1020:603 1021:700 1022:701 1027:604 1028:26 1034:1033 1040:829 1041:869 ' +
  '1115:1114 1182:1082 1183:1083 1185:1184 1187:1186 1231:1700 1270:1266 1561:1560 1563:1562 2201:1790 ' +
  '2207:2202 2208:2203 2209:2204 2210:2205 2211:2206 2949:2970 2951:2950 3221:3220 3643:3614 3645:3615 ' +
  '3735:3734 3770:3769 3807:3802 3905:3904 3907:3906 3909:3908 3911:3910 3913:3912 3927:3926 4073:4072 ' +
  '4090:4089 4097:4096 4192:4191 5039:5038 6150:4451 6151:4532 6152:4533 6153:4534 6155:4535 6157:4536'

const elementTypes: ReadonlyMap<number, number> = new Map(
  arrays.split(' ').map((pair): [number, number] => {
    const [array, element] = pair.split(':')
    return [Number(array), Number(element)]
  }),
)

/** The only type whose elements are not separated by commas. */
const boxArray = 1020

export function elementTypeOf(type: number): number | undefined {
  return elementTypes.get(type)
}

/** The separator of the elements of an array type. */
export function separatorOf(type: number): string {
  return type === boxArray ? ';' : ','
}

const readers: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [typeIds.boolean, (text) => text === 't'],
  [typeIds.bytea, readBytes],
  [21, Number],
  [23, Number],
  [26, Number],
  [700, Number],
  [701, Number],
  [typeIds.json, (text) => JSON.parse(text)],
  [typeIds.jsonb, (text) => JSON.parse(text)],
])

/**
 * The reader of a value by PostgreSQL's type alone: small numbers, booleans, JSON, bytes, and arrays of them. Null: it stays a string, as
 * `bigint`, `numeric`, dates and times do, which would lose precision.
 */
export function readerOf(type: number): Reader | null {
  const known = readers.get(type)
  if (known !== undefined) return known
  const element = elementTypes.get(type)
  if (element === undefined) return null
  const read = readers.get(element) ?? String
  return (text) => fromArrayText(text, read, separatorOf(type))
}

/** Both forms of `bytea_output`: `\x48c3`, and `H\303`. */
export function readBytes(text: string): Buffer {
  if (text.startsWith('\\x')) return Buffer.from(text.slice(2), 'hex')
  const plain = text.replaceAll(/\\(?:\\|([0-3][0-7]{2}))/g, (_, octal?: string) =>
    octal === undefined ? '\\' : String.fromCharCode(Number.parseInt(octal, 8)),
  )
  return Buffer.from(plain, 'latin1')
}
