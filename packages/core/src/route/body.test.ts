import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { parseBody } from './body.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const none = new Uint8Array()

describe('parseBody', () => {
  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'Application/JSON;charset="UTF-8"',
    'application/json; charset=utf8',
    'application/problem+json',
    'application/vnd.api+json; profile=x',
    'application/merge-patch+json',
  ])('reads JSON of type %s', (type) => {
    expect(parseBody(type, bytes('{"a":[1,"\u00e9"]}'))).toEqual({
      ok: true,
      value: { kind: 'json', value: { a: [1, '\u00e9'] }, hadEscapes: false },
    })
  })

  test('tells whether the text had an escape', () => {
    expect(parseBody('application/json', bytes('"\\ud800"'))).toMatchObject({ ok: true, value: { hadEscapes: true } })
  })

  test.each(['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded; charset=UTF-8'])(
    'reads a form of type %s',
    (type) => {
      expect(parseBody(type, bytes('name=J.+R.&tag=a&tag=b'))).toMatchObject({
        ok: true,
        value: { kind: 'form', value: { name: 'J. R.', tag: ['a', 'b'] } },
      })
      expect(parseBody(type, none)).toMatchObject({ ok: true, value: { kind: 'form' } })
    },
  )

  test.each(['', 'application/json', 'application/json; charset=utf-8', 'application/merge-patch+json'])(
    'nothing, of the type "%s", is empty',
    (type) => {
      expect(parseBody(type, none)).toEqual({ ok: true, value: { kind: 'empty' } })
    },
  )

  test.each([
    '',
    'text/plain',
    'application/jsonp',
    'application/json-seq',
    'json',
    '+json',
    '/',
    ';',
    'multipart/form-data; boundary=x',
    'application/json; charset=latin1',
    'application/json; charset=',
    'application/x-www-form-urlencoded; charset=utf-16',
    'application/json, text/plain',
  ])('refuses the type "%s"', (type) => {
    expect(parseBody(type, bytes('{}'))).toMatchObject({
      ok: false,
      error: { code: 'unsupported_media_type', httpStatus: 415 },
    })
  })

  test.each([' ', '{', '{"password":"hunter2"', '{a:1}', 'undefined', '[1,]', 'NaN'])(
    '%j is not JSON, and the message quotes nothing',
    (text) => {
      const result = parseBody('application/json', bytes(text))
      expect(result).toMatchObject({
        ok: false,
        error: { code: 'malformed_request', message: 'Body is not valid JSON' },
      })
    },
  )

  test.each([[[0x22, 0xff, 0x22]], [[0x22, 0xc0, 0x80, 0x22]], [[0x22, 0xed, 0xa0, 0x80, 0x22]], [[0x22, 0xe2, 0x82]]])(
    '%j is not UTF-8',
    (raw) => {
      for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
        expect(parseBody(type, Uint8Array.from(raw))).toMatchObject({
          ok: false,
          error: { code: 'malformed_request', message: 'Body is not valid UTF-8' },
        })
      }
    },
  )

  test('the errors of a form are those of a query', () => {
    expect(parseBody('application/x-www-form-urlencoded', bytes('a=%ff'))).toMatchObject({
      error: { code: 'malformed_request' },
    })
    expect(parseBody('application/x-www-form-urlencoded', bytes('__proto__=1'))).toMatchObject({
      error: { code: 'validation_error' },
    })
  })

  test('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseBody('application/json', bytes(text))).toMatchObject({
          ok: true,
          value: { value: JSON.parse(text) },
        })
      }),
      { numRuns: 1000 },
    )
  })

  test('never throws', () => {
    const type = fc.oneof(fc.string(), fc.constantFrom('application/json', 'application/x-www-form-urlencoded'))
    fc.assert(
      fc.property(type, fc.uint8Array({ maxLength: 40 }), (contentType, raw) => {
        expect(parseBody(contentType, raw).ok).toBeTypeOf('boolean')
      }),
      { numRuns: 2000 },
    )
  })
})
