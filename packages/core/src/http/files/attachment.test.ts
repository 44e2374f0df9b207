import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { attachment } from './attachment.ts'

describe('attachment', () => {
  it.each([
    ['plain.txt', 'attachment; filename="plain.txt"'],
    ['Müller.pdf', `attachment; filename="M_ller.pdf"; filename*=UTF-8''M%C3%BCller.pdf`],
    ['€ 5.pdf', `attachment; filename="_ 5.pdf"; filename*=UTF-8''%E2%82%AC%205.pdf`],
    ['a"b\'c.txt', 'attachment; filename="a\\"b\'c.txt"'],
    ['50%25.txt', `attachment; filename="50%25.txt"; filename*=UTF-8''50%2525.txt`],
    ['😀.png', `attachment; filename="_.png"; filename*=UTF-8''%F0%9F%98%80.png`],
    ['half \ud83d.png', `attachment; filename="half _.png"; filename*=UTF-8''half%20%EF%BF%BD.png`],
    ['../../etc/passwd', 'attachment; filename="passwd"'],
    ['C:\\Users\\a.txt', 'attachment; filename="a.txt"'],
    ['a\r\nset-cookie: x=1\u0000.txt', 'attachment; filename="aset-cookie: x=1.txt"'],
    ['gpj.\u202eexe', 'attachment; filename="gpj.exe"'],
    ['', 'attachment'],
    ['..', 'attachment'],
    ['folder/', 'attachment'],
  ])('of %j', (name, value) => {
    expect(attachment(name)).toBe(value)
  })

  it('without a name', () => {
    expect(attachment()).toBe('attachment')
  })

  it('of any name is a header value that no name can leave', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (name) => {
        expect(attachment(name)).toMatch(
          /^attachment(?:; filename="(?:[^"\\]|\\["\\])*")?(?:; filename\*=UTF-8''[\w!#$&+.^`|~%-]+)?$/,
        )
        expect(attachment(name)).toMatch(/^[\x20-\x7e]*$/)
      }),
      { numRuns: 2000 },
    )
  })
})
