// Tables of values that drivers and drizzle have damaged before.
import { relations } from 'drizzle-orm'
import {
  bigint,
  boolean,
  customType,
  date,
  doublePrecision,
  integer,
  json,
  jsonb,
  numeric,
  pgEnum,
  pgTable,
  text,
  timestamp,
} from 'drizzle-orm/pg-core'

const mood = pgEnum('value_mood', ['sad', 'NULL', 'so "so"'])
const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

export const things = pgTable('things', {
  id: integer().primaryKey(),
  words: text().array(),
  grid: text().array().array(),
  flags: boolean().array(),
  counts: integer().array(),
  sums: bigint({ mode: 'bigint' }).array(),
  smallSums: bigint({ mode: 'number' }).array(),
  prices: numeric().array(),
  ratios: doublePrecision().array(),
  moods: mood().array(),
  times: timestamp({ withTimezone: true }).array(),
  days: date().array(),
  notes: jsonb().array(),
  blobs: bytes().array(),
  blob: bytes(),
  note: jsonb(),
  rawNote: json('raw_note'),
  at: timestamp(),
  atZone: timestamp('at_zone', { withTimezone: true }),
  atText: timestamp('at_text', { mode: 'string' }),
  day: date({ mode: 'date' }),
  whole: numeric({ mode: 'bigint' }),
})

export const ddl = [
  `create type value_mood as enum ('sad', 'NULL', 'so "so"')`,
  `create table things (id integer primary key, words text[], grid text[][], flags boolean[], counts integer[], sums bigint[],
    "smallSums" bigint[], prices numeric[], ratios double precision[], moods value_mood[], times timestamptz[], days date[],
    notes jsonb[], blobs bytea[], blob bytea, note jsonb, raw_note json, at timestamp, at_zone timestamptz, at_text timestamp,
    day date, whole numeric(20, 2))`,
  `create table parts (id integer primary key, thing_id integer, note jsonb, price numeric, sum bigint, at timestamp,
    at_text timestamp, bytes bytea, words text[])`,
]

export const parts = pgTable('parts', {
  id: integer().primaryKey(),
  thingId: integer('thing_id'),
  note: jsonb(),
  price: numeric(),
  sum: bigint({ mode: 'bigint' }),
  at: timestamp(),
  atText: timestamp('at_text', { mode: 'string' }),
  bytes: bytes(),
  words: text().array(),
})

/** For relational queries. */
export const valueTables = {
  things,
  parts,
  thingsRelations: relations(things, ({ many }) => ({ parts: many(parts) })),
  partsRelations: relations(parts, ({ one }) => ({
    thing: one(things, { fields: [parts.thingId], references: [things.id] }),
  })),
}

/** Any array that the type of the column does not show: PostgreSQL keeps neither nulls nor dimensions in its types. */
const withNulls = (...values: readonly unknown[]) => values

export type Name = keyof typeof things.$inferSelect

/** What a Date and an array of JavaScript do not keep, and JSON's own null. */
export const inexact = /:1\]=|'null'|\.123999|^'?5'?$/

/** Column, SQL of the value, what it has to be. */
export const cases: readonly (readonly [Name, string, unknown])[] = [
  [
    'words',
    String.raw`array['C:\new\table', null, 'NULL', 'null', '', '"', '{a,b}', ' x ', E'a\nb']`,
    withNulls('C:\\new\\table', null, 'NULL', 'null', '', '"', '{a,b}', ' x ', 'a\nb'),
  ],
  ['words', `'{}'`, []],
  ['words', `'[0:1]={a,b}'`, ['a', 'b']],
  [
    'grid',
    `array[array['a', null], array['}', '\\']]`,
    [
      ['a', null],
      ['}', '\\'],
    ],
  ],
  ['grid', `'{}'`, []],
  ['flags', 'array[true, false, null]', withNulls(true, false, null)],
  ['counts', 'array[1, null, -2147483648]', withNulls(1, null, -2147483648)],
  ['sums', 'array[9223372036854775807, null]', withNulls(9223372036854775807n, null)],
  ['smallSums', 'array[1, null]', withNulls(1, null)],
  ['prices', `array[1.50, null, 'NaN']`, withNulls('1.50', null, 'NaN')],
  ['ratios', `'{-0,Infinity,NULL,5e-324}'`, withNulls(-0, Infinity, null, 5e-324)],
  ['moods', `array['sad', null, 'NULL', 'so "so"']::value_mood[]`, withNulls('sad', null, 'NULL', 'so "so"')],
  ['times', `array['2024-05-06T10:00:00+02', null]::timestamptz[]`, withNulls(new Date('2024-05-06T08:00:00Z'), null)],
  ['days', `array['2024-05-06', null, 'infinity']::date[]`, withNulls('2024-05-06', null, 'infinity')],
  ['notes', `array['{"a":"\\"q\\""}', 'null', '"10.5"', null]::jsonb[]`, withNulls({ a: '"q"' }, null, '10.5', null)],
  [
    'blobs',
    String.raw`array['\x00ff5c', null, '']::bytea[]`,
    withNulls(Buffer.from([0, 255, 92]), null, Buffer.alloc(0)),
  ],
  ['blob', String.raw`'\x00ff5c22'::bytea`, Buffer.from([0, 255, 92, 34])],
  ...(['note', 'rawNote'] as const).flatMap((name): (readonly [Name, string, unknown])[] => [
    [name, `'"10.5"'`, '10.5'],
    [name, `'"null"'`, 'null'],
    [name, `'"true"'`, 'true'],
    [name, `'"{\\"a\\":1}"'`, '{"a":1}'],
    [name, `'null'`, null],
    [name, `'10.5'`, 10.5],
    [name, `'[1,{"a":null}]'`, [1, { a: null }]],
  ]),
  ['at', `'0044-03-15 12:00:00'`, new Date('0044-03-15T12:00:00Z')],
  ['at', `'0001-01-01'`, new Date('0001-01-01T00:00:00Z')],
  ['at', `'0044-03-15 12:00:00 BC'`, new Date('-000043-03-15T12:00:00Z')],
  ['at', `'12024-05-06 01:02:03.004'`, new Date('+012024-05-06T01:02:03.004Z')],
  ['at', `'275760-09-13'`, new Date(8.64e15)],
  ['at', `'2024-05-06 01:02:03.123999'`, new Date('2024-05-06T01:02:03.123Z')],
  ['atZone', `'0001-01-01 00:00:00+05:53:28'`, new Date('0000-12-31T18:06:32Z')],
  ['atText', `'infinity'`, 'infinity'],
  ['atText', `'-infinity'`, '-infinity'],
  ['atText', `'0044-03-15 12:00:00.123456 BC'`, '0044-03-15 12:00:00.123456 BC'],
  ['day', `'0044-03-15'`, new Date('0044-03-15T00:00:00Z')],
  ['day', `'0044-03-15 BC'`, new Date('-000043-03-15T00:00:00Z')],
  ['whole', '5', 5n],
]
