import { RSPCode } from '../errors/status.ts'
import type { EventMeta, ReplyMeta } from './frame.ts'

// A message is put together as a string of bytes: each character is one byte. Only the data, the largest part, is converted from UTF-16 when
// it is written. A field that has its default value is left out, as protobuf does, and fields are in the order of their numbers.

/** @throws for a value without JSON */
export function encodeReply(pkgId: number, reqId: string, status: RSPCode, meta: ReplyMeta, data: unknown): Uint8Array {
  const head = toHead(pkgId, reqId) + (status === RSPCode.OK ? '' : `\x18${varint(status)}`)
  const tail = meta === null ? '' : `\x2a${lengthAnd(encodeMeta(meta))}`
  return withData(head, '\x22', data, tail, '\x30\x01')
}

/** @throws for a value without JSON */
export function encodeEvent(pkgId: number, data: unknown, meta: EventMeta | null, reqId: string): Uint8Array {
  return withData(toHead(pkgId, reqId), '\x1a', data, meta === null ? '' : encodeEventMeta(meta), '\x40\x01')
}

/** Fields 1 and 2. `reqId`: a UUID. */
function toHead(pkgId: number, reqId: string): string {
  return pkgId === 0 ? `\x12\x24${reqId}` : `\x08${varint(pkgId)}\x12\x24${reqId}`
}

function encodeMeta(meta: Exclude<ReplyMeta, null>): string {
  if ('more' in meta) return '\x38\x01'
  return (
    number('\x08', meta.page) +
    number('\x10', meta.per_page) +
    number('\x18', meta.total) +
    number('\x20', meta.pages) +
    text('\x2a', meta.next_cursor) +
    (meta.has_more ? '\x30\x01' : '')
  )
}

function encodeEventMeta({ topic, epoch = '', offset = 0, cause }: EventMeta): string {
  return text('\x22', topic) + text('\x2a', epoch) + number('\x30', offset) + text('\x3a', cause)
}

/** `nullMark`: the field that tells null from `{}`, which clients of the reference system expect for it. */
function withData(head: string, tag: string, data: unknown, tail: string, nullMark: string): Uint8Array {
  const json = JSON.stringify(data) ?? 'null'
  if (json === 'null') return Buffer.from(`${head}${tag}\x02{}${tail}${nullMark}`, 'latin1')
  const length = Buffer.byteLength(json)
  const before = head + tag + varint(length)
  if (length === json.length) return Buffer.from(before + json + tail, 'latin1')
  const bytes = Buffer.allocUnsafe(before.length + length + tail.length)
  bytes.write(before, 'latin1')
  bytes.write(json, before.length)
  bytes.write(tail, before.length + length, 'latin1')
  return bytes
}

function number(tag: string, value: number): string {
  return value === 0 ? '' : tag + varint(value)
}

function text(tag: string, value: string | null): string {
  return value === null || value === '' ? '' : tag + lengthAnd(Buffer.from(value).toString('latin1'))
}

function lengthAnd(bytes: string): string {
  return varint(bytes.length) + bytes
}

/** `value`: from 0 to 2^53 - 1. */
function varint(value: number): string {
  let bytes = ''
  let rest = value
  // Not by shifts, which have 32 bits.
  for (; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes += String.fromCharCode((rest % 0x80) | 0x80)
  return bytes + String.fromCharCode(rest)
}
