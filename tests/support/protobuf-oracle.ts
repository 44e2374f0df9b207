import { fromBinary, fromJson, type JsonObject, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf'
import { readProtobufSchema } from './protobuf-schema.ts'

const schema = readProtobufSchema()

export type Fields = JsonObject

/** Writes a message with `@bufbuild/protobuf`. `fields`: by their names in the `.proto` file; an int64 may be a decimal string. */
export function writeMessage(name: string, fields: Fields): Uint8Array<ArrayBuffer> {
  return toBinary(schema(name), fromJson(schema(name), fields))
}

/** The fields that do not have their default value; an int64 as a decimal string. @throws for bytes that are not a message */
export function readMessage(name: string, bytes: Uint8Array): Fields {
  return toFields(toJson(schema(name), fromBinary(schema(name), bytes), { useProtoFieldName: true }))
}

/** A reply as the JSON codec has it. */
export function readResponse(bytes: Uint8Array): Fields {
  const { pkg_id = 0, req_id = '', status_code = 0, meta, ...data } = readMessage('Response', bytes)
  return { pkg_id, req_id, status_code, meta: meta === undefined ? null : toMeta(toFields(meta)), data: toData(data) }
}

/** An event as the JSON codec has it. */
export function readBroadcast(bytes: Uint8Array): Fields {
  const { pkg_id = 0, req_id = '', topic, epoch, offset, cause = null, ...data } = readMessage('Broadcast', bytes)
  const position = epoch === undefined ? {} : { epoch, offset: Number(offset) }
  const meta = topic === undefined ? {} : { meta: { topic, ...position, cause } }
  return { pkg_id, req_id, ...meta, data: toData(data) }
}

function toMeta({ more = false, page = 0, per_page = 0, total = 0, pages = 0, next_cursor, has_more }: Fields): Fields {
  return more === true
    ? { more }
    : { page, per_page, total, pages, next_cursor: next_cursor ?? null, has_more: has_more ?? false }
}

function toData({ data_json, data_is_null = false }: Fields): JsonValue {
  const data: JsonValue = JSON.parse(String(data_json))
  return data_is_null === true ? null : data
}

function toFields(value: JsonValue): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('A message is an object')
  return value
}

// ---- by hand: what no library writes

/** `value`: an integer of up to 64 bits; a negative one has ten bytes. */
export function varint(value: number | bigint): number[] {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return [...bytes, Number(rest)]
}

/** A field of the wire types 0 (`value`: an integer) and 2 (text or bytes). */
export function field(number: number, value: number | bigint | string | readonly number[]): number[] {
  if (typeof value === 'number' || typeof value === 'bigint') return [...varint(number * 8), ...varint(value)]
  const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value
  return [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes]
}
