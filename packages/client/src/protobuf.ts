/**
 * Packages as protobuf instead of JSON.
 *
 * @packageDocumentation
 */
import type { ClientCodec, ServerPackage } from './codec.ts'
import { toJson } from './json.ts'

/**
 * The codec of `?format=protobuf`, for an app with `protobufCodec()` of `@twinwire/core/protobuf`. The data is JSON text in it, so it is not faster
 * than JSON.
 *
 * @example
 * import { createClient } from '@twinwire/client'
 * import { protobuf } from '@twinwire/client/protobuf'
 *
 * const client = createClient<typeof app>({ url, manifest, codec: protobuf() })
 */
export function protobuf(): ClientCodec {
  return { format: 'protobuf', encode, decode }
}

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** A Request. */
function encode(pkgId: number, reqId: string, data: unknown, traceparent = ''): Uint8Array<ArrayBuffer> {
  const json = encoder.encode(toJson(data))
  const head = [0x08, ...varint(pkgId), ...text(0x12, reqId), 0x22, ...varint(json.length)]
  const tail = traceparent === '' ? [] : text(0x2a, traceparent)
  const bytes = new Uint8Array(head.length + json.length + tail.length)
  bytes.set(head)
  bytes.set(json, head.length)
  bytes.set(tail, head.length + json.length)
  return bytes
}

/** A short field. */
function text(tag: number, value: string): number[] {
  const bytes = encoder.encode(value)
  return [tag, ...varint(bytes.length), ...bytes]
}

/** `value`: from 0 to 2^31 - 1. */
function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >> 7)]
}

/** Of the wire types 0 and 2; undefined for others. */
type Value = Varint | Uint8Array | undefined

interface Varint {
  /** Exact up to 2^53 - 1. */
  readonly value: number
  /** The lower 32 bits, signed. */
  readonly int32: number
}

/** A Response or a Broadcast: field 3 of a Broadcast is always there and has bytes, which that of a Response never has. */
function decode(frame: Uint8Array): ServerPackage {
  const fields: Value[] = []
  const metas: Value[] = []
  readFields(frame, (number, value) => {
    // Larger ones are unknown. A Metadata that comes in parts is one.
    if (number < 9) fields[number] = value ?? malformed()
    if (number === 5) metas.push(value)
  })
  const [, pkgId, reqId, three, four, five, six, seven, eight] = fields
  const envelope = { pkg_id: toInt32(pkgId), req_id: toText(reqId) }
  if (three instanceof Uint8Array) {
    const [topic, epoch] = [toText(four), toText(five)]
    const at = epoch === '' ? {} : { epoch, offset: toOffset(six) }
    const meta = topic === '' ? null : { topic, ...at, cause: toText(seven) || null }
    return { ...envelope, data: toData(three, eight), meta }
  }
  const status_code = toInt32(three)
  return { ...envelope, status_code, data: toData(four, six), meta: metas.length === 0 ? null : toMeta(metas) }
}

function toMeta(parts: readonly Value[]): Readonly<Record<string, unknown>> {
  const fields: Value[] = []
  for (const part of parts) {
    if (!(part instanceof Uint8Array)) malformed()
    readFields(part, (number, value) => {
      if (number < 8) fields[number] = value ?? malformed()
    })
  }
  const [, page, perPage, total, pages, cursor, hasMore, more] = fields
  if (toInt32(more) !== 0) return { more: true }
  return {
    page: toInt32(page),
    per_page: toInt32(perPage),
    total: toInt32(total),
    pages: toInt32(pages),
    next_cursor: toText(cursor) || null,
    has_more: toInt32(hasMore) !== 0,
  }
}

function toInt32(value: Value): number {
  return value === undefined ? 0 : value instanceof Uint8Array ? malformed() : value.int32
}

function toOffset(value: Value): number {
  if (value === undefined || value instanceof Uint8Array || value.value > Number.MAX_SAFE_INTEGER) malformed()
  return value.value
}

function toText(value: Value): string {
  return value === undefined ? '' : value instanceof Uint8Array ? decoder.decode(value) : malformed()
}

function toData(json: Value, isNull: Value): unknown {
  const data: unknown = JSON.parse(toText(json))
  return toInt32(isNull) === 0 ? data : null
}

/** Calls `onField` with each field of a message, in its order, groups left out. */
function readFields(bytes: Uint8Array, onField: (number: number, value: Value) => void): void {
  let at = 0
  const readVarint = (): Varint => {
    let value = 0
    let int32 = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at++] ?? malformed()
      value += (byte & 0x7f) * 2 ** shift
      if (shift < 32) int32 |= (byte & 0x7f) << shift
      if (byte < 0x80) return { value, int32 }
    }
    return malformed()
  }
  /** Numbers of the groups that have begun. */
  const groups: number[] = []
  while (at < bytes.length) {
    const tag = readVarint().value
    const number = Math.floor(tag / 8)
    const type = tag % 8
    if (number === 0 || number >= 2 ** 29) malformed()
    let value: Value
    if (type === 0) value = readVarint()
    else if (type === 2) {
      const { value: length } = readVarint()
      value = bytes.subarray(at, at + length)
      at += length
    } else if (type === 1 || type === 5) at += type === 1 ? 8 : 4
    else if (type === 3) groups.push(number)
    else if (type !== 4 || groups.pop() !== number) malformed()
    if (at > bytes.length) malformed()
    // The end of a group counts as its field.
    if (groups.length === 0) onField(number, value)
  }
  if (groups.length > 0) malformed()
}

function malformed(): never {
  throw new TypeError('A malformed frame')
}
