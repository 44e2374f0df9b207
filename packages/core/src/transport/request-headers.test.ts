import { describe, expect, it } from 'vitest'
import { findMalformed } from './request-headers.ts'

const check = (...fields: (readonly [string, string])[]): string | null =>
  findMalformed([['host', 'app.example'] as const, ...fields].flat())

describe('findMalformed', () => {
  it('lets ordinary requests pass', () => {
    expect(check()).toBeNull()
    expect(check(['content-length', '0'])).toBeNull()
    expect(check(['content-length', '005'])).toBeNull()
    expect(check(['transfer-encoding', 'chunked'], ['te', 'trailers'])).toBeNull()
    expect(check(['cookie', 'a=1'], ['cookie', 'b=2'], ['accept', 'a/b'], ['accept', 'c/d'])).toBeNull()
  })

  it('refuses a request without a host, with an empty one and with two', () => {
    expect(findMalformed([])).toBe('Host header is missing')
    expect(findMalformed(['host', ''])).toBe('Host header is missing')
    expect(check(['host', 'app.example'])).toBe('Header host was sent more than once: send it once')
  })

  it.each(['', '-1', '+5', '5.0', '5, 5', '0x5', ' 5', '5 ', '1e3', '9007199254740993'])(
    'refuses the length %j, which is not a number of bytes',
    (length) => expect(check(['content-length', length])).toBe('Content-Length must be a number of bytes'),
  )

  it.each(['', 'Chunked', 'identity', 'gzip', 'gzip, chunked', 'chunked, chunked', 'chunked;q=1'])(
    'refuses the coding %j, which is not exactly chunked',
    (coding) => expect(check(['transfer-encoding', coding])).toBe('Transfer-Encoding must be exactly chunked'),
  )

  it('refuses a length beside a coding, in either order, and either of them twice', () => {
    const length = ['content-length', '5'] as const
    const coding = ['transfer-encoding', 'chunked'] as const
    const both = 'Send either Content-Length or Transfer-Encoding, not both'
    expect([check(length, coding), check(coding, length)]).toEqual([both, both])
    expect(check(length, ['x-own', '1'], length)).toBe('Header content-length was sent more than once: send it once')
    expect(check(coding, coding)).toBe('Header transfer-encoding was sent more than once: send it once')
  })

  it('refuses announced trailers', () => {
    expect(check(['transfer-encoding', 'chunked'], ['trailer', 'x-sum'])).toContain('Trailer fields')
  })
})
