// The protobuf codec of the client against another implementation.
import { protobuf } from '@twinwire/client/protobuf'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Fields,
  field,
  readBroadcast,
  readMessage,
  readResponse,
  varint,
  writeMessage,
} from '../support/protobuf-oracle.ts'

/** Tens of thousands of messages take their time on a busy machine. */
const timeoutMs = 180_000
const codec = protobuf()
const decode = (bytes: Uint8Array) => codec.decode(bytes, () => false)
const text = fc.string({ unit: 'grapheme', maxLength: 12 })
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
const count = fc.nat({ max: 2 ** 31 - 1 })
const json = fc.jsonValue().map((value) => JSON.stringify(value))
const runs = { numRuns: 25_000 }

const metadata = fc.oneof(
  fc.constant({ more: true }),
  fc.record({ page: int32, per_page: count, total: count, pages: count, next_cursor: text, has_more: fc.boolean() }),
)
const responses = fc.record(
  { pkg_id: int32, req_id: text, status_code: int32, data_json: json, meta: metadata, data_is_null: fc.boolean() },
  { requiredKeys: ['data_json'] },
)
const broadcasts = fc
  .record(
    { pkg_id: count, req_id: fc.uuid(), data_json: json, topic: text, cause: text, data_is_null: fc.boolean() },
    { requiredKeys: ['data_json'] },
  )
  .chain((fields) =>
    fc
      .option(fc.tuple(fc.uuid(), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })))
      .map((at) => (at === null ? fields : { ...fields, epoch: at[0], offset: String(at[1]) })),
  )
const frames = fc.oneof(
  responses.map((fields) => writeMessage('Response', fields)),
  broadcasts.map((fields) => writeMessage('Broadcast', fields)),
)
/** Fields that our messages do not have, and a group of them. */
const unknown = fc.oneof(
  fc.constant<number[]>([]),
  fc
    .tuple(fc.integer({ min: 9, max: 2 ** 29 - 1 }), fc.oneof(int32, text))
    .map(([number, value]) => field(number, value)),
  fc
    .tuple(fc.integer({ min: 9, max: 99 }), text)
    .map(([number, value]) => [...varint(number * 8 + 3), ...field(1, value), ...varint(number * 8 + 4)]),
)

describe('the client, as @bufbuild/protobuf has it', () => {
  it(
    '50,000 calls are read with the same values',
    () => {
      const call = fc.tuple(
        fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        fc.uuid(),
        fc.dictionary(text, fc.jsonValue(), { maxKeys: 4 }),
      )
      fc.assert(
        fc.property(call, ([pkgId, reqId, data]) => {
          const frame = codec.encode(pkgId, reqId, data)
          if (typeof frame === 'string') throw new TypeError('The client has written text')
          const message: Fields = { pkg_id: pkgId, req_id: reqId, data_json: JSON.stringify(data) }
          expect(readMessage('Request', frame)).toEqual(message)
          expect(Buffer.from(writeMessage('Request', message)).equals(frame)).toBe(true)
        }),
        { numRuns: 50_000 },
      )
    },
    timeoutMs,
  )

  it(
    '25,000 replies, repeated and with unknown fields, have the same values',
    () => {
      fc.assert(
        fc.property(fc.array(responses, { minLength: 1, maxLength: 2 }), unknown, (parts, more) => {
          const bytes = Uint8Array.from([...parts.flatMap((fields) => [...writeMessage('Response', fields)]), ...more])
          const { data, ...envelope } = readResponse(bytes)
          const { data: read, ...rest } = decode(bytes)
          expect(rest).toEqual(envelope)
          expect(JSON.stringify(read)).toBe(JSON.stringify(data))
        }),
        runs,
      )
    },
    timeoutMs,
  )

  it(
    '25,000 events, repeated and with unknown fields, have the same values',
    () => {
      fc.assert(
        fc.property(fc.array(broadcasts, { minLength: 1, maxLength: 2 }), unknown, (parts, more) => {
          const bytes = Uint8Array.from([...parts.flatMap((fields) => [...writeMessage('Broadcast', fields)]), ...more])
          const { data, meta = null, ...envelope } = readBroadcast(bytes)
          const { data: read, ...rest } = decode(bytes)
          expect(rest).toEqual({ ...envelope, meta })
          expect(JSON.stringify(read)).toBe(JSON.stringify(data))
        }),
        runs,
      )
    },
    timeoutMs,
  )

  it(
    '20,000 frames with changed bytes are read, or throw an Error',
    () => {
      const changes = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 6 })
      fc.assert(
        fc.property(frames, changes, (frame, changed) => {
          const bytes = frame.slice()
          for (const [at, byte] of changed) bytes[at % bytes.length] = byte
          try {
            expect(Number.isInteger(decode(bytes).pkg_id)).toBe(true)
          } catch (error) {
            expect(error).toSatisfy((thrown: unknown) => thrown instanceof TypeError || thrown instanceof SyntaxError)
          }
        }),
        { numRuns: 20_000 },
      )
    },
    timeoutMs,
  )
})
