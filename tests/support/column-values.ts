// Every column builder of drizzle's pg-core that a server without further extensions has, with values that are hard to keep.
import { getTableColumns } from 'drizzle-orm'
import {
  bigint,
  bigserial,
  bit,
  boolean,
  char,
  cidr,
  customType,
  date,
  doublePrecision,
  inet,
  integer,
  interval,
  json,
  jsonb,
  line,
  macaddr,
  macaddr8,
  numeric,
  type PgColumnBuilderBase,
  pgEnum,
  pgTable,
  point,
  real,
  serial,
  smallint,
  smallserial,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from 'drizzle-orm/pg-core'
import fc from 'fast-check'

/** drizzle's, as far as it is needed here. */
type Builder = PgColumnBuilderBase & { array(): PgColumnBuilderBase & { array(): PgColumnBuilderBase } }

/** A value in JavaScript, and an expression of SQL that is the same value without any driver. */
export interface Sample {
  readonly value: unknown
  readonly written: string
}

export interface Kind {
  readonly build: () => Builder
  readonly samples: fc.Arbitrary<Sample>
  /** Arrays of it: not of serials, which are not types. */
  readonly arrays: boolean
}

const mood = pgEnum('value_moods', ['sad', 'NULL', '', 'so "so"', 'a\\b', '{x,y}'])
export const types = [
  `create type value_moods as enum ('sad', 'NULL', '', 'so "so"', 'a\\b', '{x,y}')`,
  'create domain short_text as text check (length(value) < 1000)',
  'create domain int_list as integer[]',
]

const quoted = (value: unknown): string => `'${String(value).replaceAll("'", "''")}'`
/** Values whose text PostgreSQL reads unchanged. */
const plain = <T>(values: fc.Arbitrary<T>, type: string, toText: (value: T) => string = String): fc.Arbitrary<Sample> =>
  values.map((value) => ({ value, written: `${quoted(toText(value))}::${type}` }))
const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)
const kind = (build: () => Builder, samples: fc.Arbitrary<Sample>, arrays = true): Kind => ({
  build,
  samples,
  arrays,
})
/** A type without a builder: its values are strings. */
const textual = (dataType: string) => customType<{ data: string }>({ dataType: () => dataType })

const hardStrings = [
  '',
  ' ',
  'NULL',
  'null',
  '"',
  '\\',
  '\\\\"',
  "'",
  '{',
  '}',
  '{a,b}',
  '{}',
  ',',
  'a\nb',
  '\t',
  'é😀',
  'C:\\new\\table',
  '\\x00',
  '$1',
]
const strings = fc.oneof(
  fc.constantFrom(...hardStrings),
  fc
    .string({ unit: 'binary', maxLength: 12 })
    .filter((each) => !each.includes('\0') && Buffer.from(each).toString() === each),
)
const doubles = fc.oneof(
  pick(0, -0, 0.1, 0.30000000000000004, 5e-324, Number.MAX_VALUE, Infinity, -Infinity, Number.NaN),
  fc.double(),
)
const toNumber = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))
const digits = fc.tuple(
  pick('', '-'),
  fc.bigInt({ min: 1n, max: 10n ** 40n }),
  pick('', '.5', '.50', '.000000000000000000001'),
)
const decimals = fc.oneof(
  pick('0', 'NaN', '0.00', '1.50'),
  digits.map(([sign, whole, fraction]) => `${sign}${whole}${fraction}`),
)
const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const safe = fc.oneof(pick(0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER), fc.maxSafeInteger())
const documents = fc
  .oneof(
    pick<unknown>(
      '10.5',
      'null',
      'true',
      '{"a":1}',
      '',
      '"',
      '\\',
      10.5,
      true,
      false,
      0,
      [],
      {},
      [null],
      { a: null },
      1e30,
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )
  .map((each): unknown => JSON.parse(JSON.stringify(each)))
  .filter((each) => each !== null && !/\\u|__proto__/.test(JSON.stringify(each)))

const day = 86_400_000
/** From 4713 BC, where PostgreSQL begins, to where a Date ends. */
const instants = fc.oneof(
  pick(
    '2024-05-06T10:20:30.004Z',
    '0001-01-01T00:00:00Z',
    '0044-03-15T12:00:00Z',
    '-000043-03-15T12:00:00Z',
    '+012024-05-06T01:02:03.004Z',
    '1969-12-31T23:59:59.999Z',
    '0000-12-31T18:06:32Z',
  ).map(Date.parse),
  pick(8.64e15, Date.UTC(-4713, 10, 25), 0, 951_782_400_000),
  fc.integer({ min: Date.UTC(-4713, 10, 25), max: 8.64e15 }),
)
const since = (ms: number): string =>
  `(timestamp '1970-01-01' + interval '${Math.floor(ms / day)} days ${ms - Math.floor(ms / day) * day} milliseconds')`
const dates = instants.map((ms) => ({ value: new Date(ms), written: since(ms) }))
const zoned = instants.map((ms) => ({ value: new Date(ms), written: `(${since(ms)} at time zone 'UTC')` }))
const days = instants.map((ms) => ({
  value: new Date(Math.floor(ms / day) * day),
  written: `(date '1970-01-01' + ${Math.floor(ms / day)})`,
}))
const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })
const blobs = fc.uint8Array({ maxLength: 12 }).map((each) => {
  const value = Buffer.from(each)
  return { value, written: `decode('${value.toString('hex')}', 'hex')` }
})
const list = customType<{ data: number[] }>({ dataType: () => 'int_list' })
// drizzle writes no sign of a zero in a point or a line.
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0)
const pair = fc.tuple(finite, fc.integer())
const lines = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.integer(), finite)
const times = ['00:00:00', '24:00:00', '12:34:56.789', '23:59:59.999999'] as const
const intervals = plain(
  pick(
    '00:00:00',
    '1 year 2 mons 3 days 04:05:06.789',
    '-1 days +02:03:00',
    '-00:00:01',
    '1 mon -1 days',
    '178000000 years',
  ),
  'interval',
)

export const kinds: Readonly<Record<string, Kind>> = {
  text: kind(() => text(), plain(strings, 'text')),
  varchar: kind(() => varchar({ length: 40 }), plain(strings, 'varchar(40)')),
  char: kind(
    () => char({ length: 30 }),
    plain(
      strings.map((each) => `${each}x`.padEnd(30 + [...each].reduce((sum, one) => sum + one.length - 1, 0))),
      'char(30)',
    ),
  ),
  enum: kind(() => mood(), plain(pick(...mood.enumValues), 'value_moods')),
  domain: kind(() => textual('short_text')(), plain(strings, 'short_text')),
  uuid: kind(() => uuid(), plain(fc.uuid(), 'uuid')),
  boolean: kind(() => boolean(), plain(fc.boolean(), 'boolean')),
  smallint: kind(
    () => smallint(),
    plain(fc.oneof(pick(-32768, 32767), fc.integer({ min: -32768, max: 32767 })), 'smallint'),
  ),
  integer: kind(() => integer(), plain(fc.oneof(pick(-(2 ** 31), 2 ** 31 - 1, 0), fc.integer()), 'integer')),
  bigint: kind(() => bigint({ mode: 'bigint' }), plain(fc.oneof(pick(-(2n ** 63n), 2n ** 63n - 1n), int8), 'bigint')),
  bigintNumber: kind(() => bigint({ mode: 'number' }), plain(safe, 'bigint')),
  smallserial: kind(() => smallserial(), plain(fc.integer({ min: 1, max: 9 }), 'smallint'), false),
  serial: kind(() => serial(), plain(fc.integer(), 'integer'), false),
  bigserial: kind(() => bigserial({ mode: 'bigint' }), plain(int8, 'bigint'), false),
  bigserialNumber: kind(() => bigserial({ mode: 'number' }), plain(safe, 'bigint'), false),
  real: kind(
    () => real(),
    plain(pick(0, -0, 0.1, -1.5, 3.4028235e38, 1e-45, Infinity, -Infinity, Number.NaN, 123456), 'real', toNumber),
  ),
  double: kind(() => doublePrecision(), plain(doubles, 'double precision', toNumber)),
  numeric: kind(() => numeric(), plain(decimals, 'numeric')),
  numericScale: kind(
    () => numeric({ precision: 12, scale: 3 }),
    plain(
      fc.integer({ min: -1e8, max: 1e8 }).map((each) => `${each}.125`),
      'numeric(12, 3)',
    ),
  ),
  numericNumber: kind(
    () => numeric({ mode: 'number' }),
    plain(pick(0, 0.1, -1.5, 1e21, 1e-7, 123456789.125), 'numeric'),
  ),
  numericBigint: kind(
    () => numeric({ mode: 'bigint' }),
    plain(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), 'numeric'),
  ),
  json: kind(
    () => json(),
    plain(documents, 'json', (each) => JSON.stringify(each)),
  ),
  jsonb: kind(
    () => jsonb(),
    plain(documents, 'jsonb', (each) => JSON.stringify(each)),
  ),
  timestamp: kind(() => timestamp(), dates),
  timestampZone: kind(() => timestamp({ withTimezone: true }), zoned),
  timestampText: kind(
    () => timestamp({ mode: 'string' }),
    plain(
      pick(
        'infinity',
        '-infinity',
        '2024-05-06 10:20:30.123456',
        '0044-03-15 12:00:00 BC',
        '294276-12-31 23:59:59.999999',
        '0001-01-01 00:00:00',
      ),
      'timestamp',
    ),
  ),
  timestampZoneText: kind(
    () => timestamp({ mode: 'string', withTimezone: true }),
    plain(
      pick(
        'infinity',
        '-infinity',
        '2024-05-06 10:20:30.123456+00',
        '0044-03-15 12:00:00+00 BC',
        '12024-12-31 23:59:59+00',
      ),
      'timestamptz',
    ),
  ),
  timestampPrecision: kind(() => timestamp({ precision: 3 }), dates),
  date: kind(() => date({ mode: 'date' }), days),
  dateText: kind(
    () => date(),
    plain(pick('infinity', '-infinity', '2024-02-29', '0044-03-15 BC', '5874897-12-31', '0001-01-01'), 'date'),
  ),
  time: kind(() => time(), plain(pick(...times), 'time')),
  timeZone: kind(() => time({ withTimezone: true }), plain(pick(...times.map((each) => `${each}+05:30`)), 'timetz')),
  interval: kind(() => interval(), intervals),
  intervalFields: kind(
    () => interval({ fields: 'day to second', precision: 3 }),
    plain(pick('3 days 04:05:06.789', '-00:00:01', '-1 days +02:03:00'), 'interval'),
  ),
  inet: kind(() => inet(), plain(pick('127.0.0.1', '10.0.0.0/8', '::1', 'fe80::1/64'), 'inet')),
  cidr: kind(() => cidr(), plain(pick('10.0.0.0/8', '::/0', '192.168.1.0/24'), 'cidr')),
  macaddr: kind(() => macaddr(), plain(pick('08:00:2b:01:02:03', '00:00:00:00:00:00'), 'macaddr')),
  macaddr8: kind(() => macaddr8(), plain(pick('08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff:ff:ff'), 'macaddr8')),
  bit: kind(() => bit({ dimensions: 5 }), plain(pick('10101', '00000'), 'bit(5)')),
  point: kind(
    () => point(),
    plain(pair, 'point', ([x, y]) => `(${x},${y})`),
  ),
  pointObject: kind(
    () => point({ mode: 'xy' }),
    plain(
      pair.map(([x, y]) => ({ x, y })),
      'point',
      ({ x, y }) => `(${x},${y})`,
    ),
  ),
  line: kind(
    () => line(),
    plain(lines, 'line', (each) => `{${each.join(',')}}`),
  ),
  lineObject: kind(
    () => line({ mode: 'abc' }),
    plain(
      lines.map(([a, b, c]) => ({ a, b, c })),
      'line',
      ({ a, b, c }) => `{${a},${b},${c}}`,
    ),
  ),
  bytea: kind(() => bytes(), blobs),
  intRange: kind(() => textual('int4range')(), plain(pick('[1,5)', 'empty', '(,)', '[1,)'), 'int4range')),
  timeRange: kind(
    () => textual('tstzrange')(),
    plain(pick('empty', '["2024-05-06 10:00:00+00","2024-05-07 00:00:00+00")', '(,)'), 'tstzrange'),
  ),
  multirange: kind(() => textual('int4multirange')(), plain(pick('{}', '{[1,2),[5,9)}'), 'int4multirange')),
  domainOfArray: kind(
    () => list(),
    fc.array(fc.integer()).map((value) => ({ value, written: `${quoted(`{${value.join(',')}}`)}::int_list` })),
    false,
  ),
}

/** Needs its extension. */
export const citext: Kind = kind(() => textual('citext')(), plain(strings, 'citext'))

const nullable = (samples: fc.Arbitrary<Sample>): fc.Arbitrary<Sample> =>
  fc.oneof(
    { weight: 4, arbitrary: samples },
    { weight: 1, arbitrary: fc.constant<Sample>({ value: null, written: 'null' }) },
  )

/** Columns of a kind: the value itself, and arrays of one and two dimensions. */
export function columnsOf(
  name: string,
  { build, samples, arrays }: Kind,
): readonly (readonly [string, PgColumnBuilderBase, fc.Arbitrary<Sample>])[] {
  // A serial is never null.
  const scalar = [name, build(), arrays ? nullable(samples) : samples] as const
  if (!arrays) return [scalar]
  const array = build().array()
  const grid = build().array().array()
  const typeOf = typeName(build)
  const row = fc.array(nullable(samples), { maxLength: 4 }).map((each) => toArray(each, typeOf))
  const rows = fc
    .integer({ min: 1, max: 3 })
    .chain((width) => fc.array(fc.array(nullable(samples), { minLength: width, maxLength: width }), { maxLength: 3 }))
    .map((each) =>
      toArray(
        each.map((inner) => toArray(inner, typeOf)),
        typeOf,
      ),
    )
  return [scalar, [`${name}List`, array, nullable(row)], [`${name}Grid`, grid, nullable(rows)]]
}

function toArray(samples: readonly Sample[], type: string): Sample {
  const written =
    samples.length === 0 ? `'{}'::${type}[]` : `array[${samples.map((each) => each.written).join(', ')}]::${type}[]`
  return { value: samples.map((each) => each.value), written }
}

function typeName(build: () => Builder): string {
  return getTableColumns(pgTable('one', { it: build() })).it?.getSQLType() ?? ''
}
