import { randomUUID } from 'node:crypto'
import type { Codec } from '../../protocol/codec.ts'
import { type Frame, maxPkgId, uuidPattern, zeroUuid } from '../../protocol/frame.ts'
import type { TestRunner } from '../test-runner.ts'

/** The codec that a suite tests, and the client's side of its format. */
export interface CodecSubject {
  readonly codec: Codec
  /** A package may end after any of its fields, as in protobuf. Default false: one that was cut short is refused. */
  readonly mayEndEarly?: boolean
  /**
   * Writes a package as a client does: `{ pkg_id, req_id, method?, data?, traceparent? }`. Some tests pass another value in its place, or a field of another type.
   * Text is decoded as a text frame: control frames of a binary codec may be text.
   */
  encode(value: unknown): string | Uint8Array
  /** Reads what the codec has written: `{ pkg_id, req_id, data }`, with `status_code` and `meta` in a reply. */
  decode(message: string | Uint8Array): unknown
}

const reqId = '3F2a9c41-7be0-4d5c-8a16-5b6d1f0e2c93'
const meta = { page: 2, per_page: 20, total: 41, pages: 3, next_cursor: null, has_more: true }

const values: readonly [what: string, value: unknown][] = [
  ['null', null],
  ['booleans', [true, false]],
  ['integers', [0, -1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]],
  ['fractions', [0.1, -1.5e-7, 1e21, Number.MAX_VALUE]],
  ['strings of any alphabet', ['', 'grüße', '日本語', '😀', '\u0000\n"\\']],
  ['lists in lists', [[], [[1], [[2]]]]],
  ['objects in objects', { a: {}, b: { c: [{ d: null }] }, ключ: 1 }],
  ['a long string', 'grüße '.repeat(20_000)],
  ['a long list', Array.from({ length: 5000 }, (_, i) => ({ id: i }))],
]

/**
 * Tests that every codec must pass: round trips of what a client sends and of what the server writes, and refusal of everything else
 * without an exception.
 *
 * @example
 * import * as vitest from 'vitest'
 * const encode = (value: unknown) => JSON.stringify(value)
 * const decode = (message: string | Uint8Array) => JSON.parse(String(message))
 * codecSuite(vitest, { codec: jsonCodec, encode, decode })
 */
export function codecSuite(runner: TestRunner, subject: CodecSubject): void {
  const { codec, encode } = subject
  const read = (value: unknown): Frame => {
    const message = encode(value)
    return decodeBytes(codec, toBytes(message), typeof message !== 'string')
  }
  decodeSuite(runner, subject, read)
  refusalSuite(runner, subject, read)
  encodeSuite(runner, subject)
}

type Read = (value: unknown) => Frame

function decodeSuite({ describe, it, expect }: TestRunner, { codec, encode }: CodecSubject, read: Read): void {
  describe('decode', () => {
    it('has a name', () => {
      expect(codec.name).not.toBe('')
    })

    it('reads a package as the client wrote it', () => {
      const frame = read({ pkg_id: maxPkgId, req_id: reqId, method: 'get', data: { id: 1 } })
      expect(frame).toEqual({ kind: 'request', pkgId: maxPkgId, reqId, method: 'get', data: { id: 1 } })
    })

    it('fills in what was left out or is null', () => {
      const empty = { kind: 'request', pkgId: 1, reqId, method: '', data: {} }
      expect(read({ pkg_id: 1, req_id: reqId })).toEqual(empty)
      expect(read({ pkg_id: 1, req_id: reqId, method: null, data: null })).toEqual(empty)
    })

    it('reads a traceparent as the client wrote it, and ignores one that is not a string', () => {
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
      const request = { kind: 'request', pkgId: 7, reqId, method: '', data: { id: 1 } }
      const sent = { pkg_id: 7, req_id: reqId, data: { id: 1 } }
      expect(read({ ...sent, traceparent })).toEqual({ ...request, traceparent })
      expect(read({ ...sent, traceparent: 7 })).toEqual(request)
    })

    for (const [what, value] of values) {
      it(`reads ${what}`, () => {
        expect(read({ pkg_id: 7, req_id: reqId, data: { value } })).toMatchObject({ kind: 'request', data: { value } })
      })
    }

    it('reads a control frame', () => {
      const sent = { type: 'auth', token: 'abc' }
      expect(read(sent)).toEqual({ kind: 'control', type: 'auth', fields: sent })
    })

    it('keeps nothing of the bytes, which are detached after decode', () => {
      const bytes = toBytes(encode({ pkg_id: 7, req_id: reqId, data: { name: 'Ursula', list: ['a'] } }))
      const frame = codec.decode(bytes, codec.binary)
      new Uint8Array(bytes).fill(0xff)
      expect(frame).toEqual({ kind: 'request', pkgId: 7, reqId, method: '', data: { name: 'Ursula', list: ['a'] } })
    })
  })
}

function refusalSuite(
  { describe, it, expect }: TestRunner,
  { codec, encode, mayEndEarly = false }: CodecSubject,
  read: Read,
): void {
  const expectRefusal = (frame: Frame, code: string, pkgId: number, id: string): void => {
    expect(frame).toMatchObject({ kind: 'refused', pkgId, reqId: id, error: { code } })
  }

  describe('refusal', () => {
    const envelopes: readonly [what: string, value: unknown, pkgId: number, reqId: string][] = [
      ['null', null, 0, zeroUuid],
      ['a string', 'package', 0, zeroUuid],
      ['a list', [1], 0, zeroUuid],
      ['an empty object', {}, 0, zeroUuid],
      ['pkg_id 0', { pkg_id: 0, req_id: reqId }, 0, reqId],
      ['a negative pkg_id', { pkg_id: -1, req_id: reqId }, 0, reqId],
      ['a fraction as pkg_id', { pkg_id: 1.5, req_id: reqId }, 0, reqId],
      ['a pkg_id over int32', { pkg_id: maxPkgId + 1, req_id: reqId }, 0, reqId],
      ['a string as pkg_id', { pkg_id: '1', req_id: reqId }, 0, reqId],
      ['no req_id', { pkg_id: 7 }, 7, zeroUuid],
      ['a req_id that is not a UUID', { pkg_id: 7, req_id: 'abc' }, 7, zeroUuid],
      ['a number as method', { pkg_id: 7, req_id: reqId, method: 1 }, 7, reqId],
      ['a list as data', { pkg_id: 7, req_id: reqId, data: [] }, 7, reqId],
      ['a string as data', { pkg_id: 7, req_id: reqId, data: 'x' }, 7, reqId],
    ]
    for (const [what, value, pkgId, id] of envelopes) {
      it(`refuses ${what}, with what could be read`, () => {
        expectRefusal(read(value), 'malformed_request', pkgId, id)
      })
    }

    const unsafe: readonly [what: string, data: unknown][] = [
      ['the key __proto__', { nested: JSON.parse('{"__proto__":{"admin":true}}') }],
      ['a constructor with a prototype', { nested: { constructor: { prototype: {} } } }],
      ['deep nesting', { list: nest(70) }],
    ]
    for (const [what, data] of unsafe) {
      it(`refuses data with ${what} (see findUnsafe)`, () => {
        expectRefusal(read({ pkg_id: 7, req_id: reqId, data }), 'validation_error', 7, reqId)
      })
    }

    it('reads no half of a surrogate pair', () => {
      const frame = read({ pkg_id: 7, req_id: reqId, data: { text: 'half: \ud83d' } })
      if (frame.kind === 'request') expect(JSON.stringify(frame.data)).not.toMatch(/\\ud83d/i)
      else expectRefusal(frame, 'validation_error', 7, reqId)
    })

    it('refuses every package that was cut short', () => {
      const whole = new Uint8Array(toBytes(encode({ pkg_id: 7, req_id: reqId, method: '', data: { a: [1, 'two'] } })))
      let accepted = 0
      for (let length = 0; length < whole.length; length++) {
        const frame = decodeBytes(codec, whole.slice(0, length).buffer, codec.binary)
        if (mayEndEarly && frame.kind === 'request') {
          accepted++
          // Whole fields only.
          expect(frame).toEqual({ kind: 'request', pkgId: 7, reqId, method: '', data: {} })
        } else expect([length, frame.kind]).toEqual([length, 'refused'])
      }
      expect(accepted).toBeLessThanOrEqual(2)
    })

    it('makes a frame of any bytes, text or binary, and throws for none', () => {
      const whole = new Uint8Array(toBytes(encode({ pkg_id: 7, req_id: reqId, data: { a: [1, 'two', null] } })))
      const random = createRandom()
      for (let run = 0; run < 2000; run++) {
        const bytes = run % 2 === 0 ? whole.slice() : new Uint8Array(random(64))
        for (let i = 0; i < 1 + (run % 8); i++) if (bytes.length > 0) bytes[random(bytes.length)] = random(256)
        for (const binary of [true, false]) {
          const frame = decodeBytes(codec, bytes.slice().buffer, binary)
          expect(['request', 'control', 'refused']).toContain(frame.kind)
          if (frame.kind === 'control') continue
          expect(frame.reqId).toMatch(uuidPattern)
          expect(Number.isInteger(frame.pkgId) && frame.pkgId >= 0 && frame.pkgId <= maxPkgId).toBe(true)
        }
      }
    })
  })
}

function encodeSuite({ describe, it, expect }: TestRunner, { codec, decode }: CodecSubject): void {
  const write = (data: unknown): string | Uint8Array => codec.encodeReply(7, reqId, 0, null, data)

  describe('encode', () => {
    it('writes messages of the kind that it says', () => {
      for (const message of [write({ a: 1 }), codec.encodeEvent(7, { a: 1 }, null, zeroUuid)])
        expect(typeof message === 'string').toBe(!codec.binary)
    })

    for (const [what, data] of values) {
      it(`writes ${what} in replies and events`, () => {
        const reply = { pkg_id: 7, req_id: reqId, status_code: 0, meta: null, data }
        expect(decode(write(data))).toEqual(reply)
        expect(decode(codec.encodeEvent(7, data, null, zeroUuid))).toEqual({ pkg_id: 7, req_id: zeroUuid, data })
      })
    }

    it('writes null for undefined', () => {
      expect(decode(write(undefined))).toMatchObject({ data: null })
      expect(decode(codec.encodeEvent(7, undefined, null, zeroUuid))).toMatchObject({ data: null })
    })

    it('of events have their meta and the req_id that an answer names', () => {
      const reqId = randomUUID()
      for (const meta of [
        { topic: '@me', cause: null },
        { topic: 'ticket:1', epoch: 'e-1', offset: 2 ** 40, cause: randomUUID() },
      ])
        expect(decode(codec.encodeEvent(7, { a: 1 }, meta, reqId))).toEqual({
          pkg_id: 7,
          req_id: reqId,
          meta,
          data: { a: 1 },
        })
    })

    it('writes the status and the page', () => {
      for (const status of [0, 1, 2, 3] as const)
        expect(decode(codec.encodeReply(maxPkgId, reqId, status, meta, []))).toEqual({
          pkg_id: maxPkgId,
          req_id: reqId,
          status_code: status,
          meta,
          data: [],
        })
    })

    it('writes each message into bytes of its own', () => {
      const first = write({ text: 'first' })
      for (let i = 0; i < 10; i++) write({ text: `another, ${i}` })
      expect(decode(first)).toMatchObject({ data: { text: 'first' } })
    })

    it('throws for a value without a form', () => {
      const circle: Record<string, unknown> = {}
      circle.self = circle
      expect(() => write(circle)).toThrow()
      expect(() => codec.encodeEvent(7, circle, null, zeroUuid)).toThrow()
    })
  })
}

/** The transport takes the bytes away when `decode` has returned, so a test does too. */
function decodeBytes(codec: Codec, bytes: ArrayBuffer, binary: boolean): Frame {
  const frame = codec.decode(bytes, binary)
  if (bytes.byteLength > 0) structuredClone(bytes, { transfer: [bytes] })
  return frame
}

function toBytes(message: string | Uint8Array): ArrayBuffer {
  return new Uint8Array(typeof message === 'string' ? new TextEncoder().encode(message) : message).buffer
}

function nest(levels: number): unknown {
  let value: unknown = []
  for (let i = 1; i < levels; i++) value = [value]
  return value
}

/** Integers from 0 to below `limit`, the same in each run (xorshift). */
function createRandom(): (limit: number) => number {
  let state = 2_463_534_242
  return (limit) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % limit
  }
}
