// The protobuf codec of core against another implementation, with the messages of the file that users get.
import { jsonCodec } from '@twinwire/core'
import { protobufCodec } from '@twinwire/core/protobuf'
import { codecSuite } from '@twinwire/core/testing'
import { type EventMeta, type Frame, maxPkgId, type ReplyMeta } from '@twinwire/core/transport'
import fc from 'fast-check'
import * as vitest from 'vitest'
import { ProtobufReader, WireType } from '../../packages/core/src/protocol/protobuf-reader.ts'
import {
  type Fields,
  field,
  readBroadcast,
  readMessage,
  readResponse,
  varint,
  writeMessage,
} from '../support/protobuf-oracle.ts'

const { describe, expect, it } = vitest
/** Tens of thousands of messages take their time on a busy machine. */
const timeoutMs = 180_000
const codec = protobufCodec()

const read = (bytes: Uint8Array | readonly number[]): Frame => codec.decode(new Uint8Array(bytes).buffer, true)
const bytesOf = (message: string | Uint8Array): Uint8Array => {
  if (typeof message === 'string') throw new TypeError('The codec has written text')
  return message
}

/** As a client does. What has no form in protobuf, such as another type of a field, is another wire type. */
function encode(value: unknown): string | Uint8Array {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return Buffer.from(JSON.stringify(value))
  if ('type' in value) return JSON.stringify(value)
  const { pkg_id, req_id, method, data, traceparent } = value as Record<string, unknown>
  return Uint8Array.from([
    ...(pkg_id === undefined ? [] : Number.isInteger(pkg_id) ? field(1, Number(pkg_id)) : field(1, String(pkg_id))),
    ...(req_id === undefined ? [] : field(2, String(req_id))),
    ...(method === undefined || method === null ? [] : field(3, typeof method === 'number' ? method : String(method))),
    ...(data === undefined ? [] : field(4, JSON.stringify(data))),
    ...(traceparent === undefined ? [] : field(5, typeof traceparent === 'number' ? traceparent : String(traceparent))),
  ])
}

function decode(message: string | Uint8Array): unknown {
  const bytes = bytesOf(message)
  // An event has always a field 3 of text, a reply one of a number or none.
  return isBroadcast(bytes) ? readBroadcast(bytes) : readResponse(bytes)
}

function isBroadcast(bytes: Uint8Array): boolean {
  try {
    return JSON.stringify(readMessage('Broadcast', bytes)).includes('"data_json"')
  } catch {
    return false
  }
}

describe('protobufCodec', () => {
  codecSuite(vitest, { codec, encode, decode, mayEndEarly: true })
})

describe('as @bufbuild/protobuf has it', () => {
  const runs = { numRuns: 50_000 }
  const text = fc.string({ unit: 'grapheme', maxLength: 12 })
  const data = fc.dictionary(text, fc.jsonValue(), { maxKeys: 3 })
  const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  const uuid = fc.uuid()
  const requests = fc.record({
    pkg_id: fc.oneof(fc.integer({ min: 1, max: maxPkgId }), int32),
    req_id: fc.oneof({ weight: 9, arbitrary: uuid }, { weight: 1, arbitrary: text }),
    method: fc.oneof(fc.constant(''), text),
    data_json: fc.oneof(
      { weight: 9, arbitrary: data.map((value) => JSON.stringify(value)) },
      { weight: 1, arbitrary: text },
    ),
    traceparent: fc.oneof(fc.constant(''), text),
  })
  /** Fields that our messages do not have, and a group of them. */
  const unknownField = fc.oneof(
    fc
      .tuple(fc.integer({ min: 20, max: 2 ** 29 - 1 }), fc.oneof(int32, text))
      .map(([number, value]) => field(number, value)),
    fc.integer({ min: 20, max: 1000 }).map((number) => [...varint(number * 8 + 1), 1, 2, 3, 4, 5, 6, 7, 8]),
    fc.integer({ min: 20, max: 1000 }).map((number) => [...varint(number * 8 + 5), 1, 2, 3, 4]),
    fc
      .tuple(fc.integer({ min: 20, max: 1000 }), text)
      .map(([number, value]) => [...varint(number * 8 + 3), ...field(1, value), ...varint(number * 8 + 4)]),
  )
  /** Several messages in a row are one: the last value of a field counts. */
  const chunks = fc.array(
    fc.oneof(
      { weight: 3, arbitrary: requests.map((fields) => [...writeMessage('Request', fields)]) },
      { weight: 1, arbitrary: unknownField },
    ),
    { minLength: 1, maxLength: 4 },
  )

  it(
    '50,000 generated requests, with unknown and repeated fields, are read with the same values',
    () => {
      fc.assert(
        fc.property(chunks, (parts) => {
          const bytes = Uint8Array.from(parts.flat())
          expect(toOutcome(read(bytes))).toEqual(expected(readMessage('Request', bytes)))
        }),
        runs,
      )
    },
    timeoutMs,
  )

  const count = fc.nat({ max: 2 ** 31 - 1 })
  const page = fc.record({
    page: count,
    per_page: count,
    total: count,
    pages: count,
    next_cursor: fc.option(text.filter((cursor) => cursor !== '')),
    has_more: fc.boolean(),
  })
  const metas: fc.Arbitrary<ReplyMeta> = fc.oneof(fc.constant(null), fc.constant({ more: true } as const), page)
  const replies = fc.tuple(count, uuid, fc.constantFrom(0, 1, 2, 3), metas, fc.jsonValue())
  const position = fc.record({ epoch: fc.uuid(), offset: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }) })
  const eventMetas: fc.Arbitrary<EventMeta | null> = fc.option(
    fc
      .tuple(
        text.filter((topic) => topic !== ''),
        fc.option(uuid),
        fc.option(position),
      )
      .map(([topic, cause, at]) => ({ topic, ...at, cause })),
  )

  it(
    '25,000 generated replies and 25,000 events are written with the same bytes, and read with the same values',
    () => {
      const half = { numRuns: runs.numRuns / 2 }
      fc.assert(
        fc.property(replies, ([pkgId, id, status, meta, value]) => {
          const bytes = bytesOf(codec.encodeReply(pkgId, id, status, meta, value))
          const { data, ...envelope } = readResponse(bytes)
          expect(envelope).toEqual({ pkg_id: pkgId, req_id: id, status_code: status, meta })
          expect(JSON.stringify(data)).toBe(JSON.stringify(value))
          expectSameBytes('Response', bytes)
        }),
        half,
      )
      fc.assert(
        fc.property(
          fc.integer({ min: 1, max: maxPkgId }),
          uuid,
          eventMetas,
          fc.jsonValue(),
          (pkgId, id, meta, value) => {
            const bytes = bytesOf(codec.encodeEvent(pkgId, value, meta, id))
            const { data, ...envelope } = readBroadcast(bytes)
            expect(envelope).toEqual({ pkg_id: pkgId, req_id: id, ...(meta === null ? {} : { meta }) })
            expect(JSON.stringify(data)).toBe(JSON.stringify(value))
            expectSameBytes('Broadcast', bytes)
          },
        ),
        half,
      )
    },
    timeoutMs,
  )

  it(
    '20,000 messages with changed bytes are refused or read, and never throw',
    () => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
      fc.assert(
        fc.property(chunks, changes, (parts, changed) => {
          const bytes = Uint8Array.from(parts.flat())
          for (const [at, byte] of changed) if (bytes.length > 0) bytes[at % bytes.length] = byte
          const outcome = toOutcome(read(bytes))
          // What the other one cannot read is refused. A known field of another wire type it reads as if it were of its own.
          if (outcome.kind === 'request' && !hasOtherTraceparent(bytes))
            expect(outcome).toEqual(expected(readMessage('Request', bytes)))
        }),
        { numRuns: 20_000 },
      )
    },
    timeoutMs,
  )
})

/** The other implementation writes what it has read with the same bytes. */
function expectSameBytes(name: string, bytes: Uint8Array): void {
  expect(Buffer.from(writeMessage(name, readMessage(name, bytes))).equals(bytes)).toBe(true)
}

/** What the JSON codec decides about a package with these fields. */
function expected({ pkg_id = 0, req_id = '', method = '', data_json = '', traceparent = '' }: Fields): unknown {
  const text = String(data_json)
  const ids = `"pkg_id":${pkg_id},"req_id":${JSON.stringify(req_id)},"method":${JSON.stringify(method)}`
  const trace = traceparent === '' ? '' : `,"traceparent":${JSON.stringify(traceparent)}`
  const toJson = (data: string): string => `{${ids},"data":${data}${trace}}`
  const decodeText = (json: string): Frame => jsonCodec.decode(new TextEncoder().encode(json).buffer, false)
  try {
    if (text !== '') JSON.parse(text)
  } catch {
    return { ...toOutcome(decodeText(toJson('[]'))), code: 'malformed_request' }
  }
  return toOutcome(decodeText(toJson(text === '' ? 'null' : text)))
}

/** Of a refused one without the message, which is for people. */
function toOutcome(frame: Frame): Fields {
  if (frame.kind === 'control') throw new Error('A binary frame is not a control frame')
  const { kind, pkgId, reqId } = frame
  if (kind === 'refused') return { kind, pkgId, reqId, code: frame.error.code }
  const { method, data, traceparent = null } = frame
  return { kind, pkgId, reqId, method, data: JSON.stringify(data), traceparent }
}

/** A field 5 that is not a string. */
function hasOtherTraceparent(bytes: Uint8Array): boolean {
  const reader = new ProtobufReader(Buffer.from(bytes))
  while (!reader.isAtEnd) {
    const tag = reader.tag()
    if (tag >>> 3 === 5 && (tag & 7) !== WireType.length) return true
    reader.skip(tag)
  }
  return false
}
