import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import { ReplyHeaders } from './reply-headers.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

describe('ReplyHeaders', () => {
  it('sets, and adds those that may repeat, in lower case and in order', () => {
    const headers = new ReplyHeaders()
    headers.set('X-One', '1')
    headers.append('Set-Cookie', 'a=1')
    headers.append('set-cookie', 'b=2')
    headers.set('x-one', '2')
    expect(headers.entries()).toEqual([
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
      ['x-one', '2'],
    ])
    headers.set('set-cookie', 'c=3')
    expect(headers.entries()).toEqual([
      ['x-one', '2'],
      ['set-cookie', 'c=3'],
    ])
  })

  it.each(['', ' ', 'a b', 'a:b', 'a\r\n', 'ä', 'a\u0000'])('refuses the name %j', (name) => {
    expect(() => new ReplyHeaders().set(name, 'x')).toThrow(TypeError)
    expect(() => new ReplyHeaders().append(name, 'x')).toThrow(TypeError)
  })

  it.each(['a\r\nx: y', 'a\n', '\u0000', '\u007f', 'Ŵ', '🙂'])('refuses the value %j', (value) => {
    const headers = new ReplyHeaders()
    expect(() => headers.set('x', value)).toThrow("The value of header 'x' holds characters that a header cannot carry")
    expect(headers.entries()).toEqual([])
  })

  it.each(['', 'a\tb', 'ä', 'a, b; c="d"'])('takes the value %j', (value) => {
    const headers = new ReplyHeaders()
    headers.set('x', value)
    expect(headers.entries()).toEqual([['x', value]])
  })

  it('lets nothing through that begins another line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, value) => {
        const headers = new ReplyHeaders()
        try {
          headers.append(name, value)
        } catch {
          return
        }
        const [[key, text] = ['', '']] = headers.entries()
        expect(`${key}: ${text}`).not.toMatch(/[\r\n\0]/)
        expect(key).toMatch(/^[^\s:]+$/)
      }),
      { numRuns: 1000 },
    )
  })
})
