import { describe, expect, it } from 'vitest'
import { type CookieOptions, toSetCookie, verifyValue } from './set-cookie.ts'

const rules = { secrets: [], secureByDefault: false }
const set = (name: string, value: string, options: CookieOptions = {}, isSecure = false) =>
  toSetCookie(name, value, options, () => isSecure, rules)

describe('a set-cookie header', () => {
  it.each<[CookieOptions, string]>([
    [{}, 'a=1; Path=/; HttpOnly; SameSite=Lax'],
    [{ httpOnly: false, sameSite: 'strict', path: '/x' }, 'a=1; Path=/x; SameSite=Strict'],
    [{ sameSite: 'none' }, 'a=1; Path=/; HttpOnly; Secure; SameSite=None'],
    [{ partitioned: true }, 'a=1; Path=/; HttpOnly; Secure; Partitioned; SameSite=Lax'],
    [{ secure: true, domain: 'example.com' }, 'a=1; Domain=example.com; Path=/; HttpOnly; Secure; SameSite=Lax'],
    [
      { expires: new Date(Date.UTC(9999, 11, 31)), domain: '.1a.example.com' },
      'a=1; Domain=.1a.example.com; Path=/; Expires=Fri, 31 Dec 9999 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ],
    [{ maxAgeSeconds: 0 }, 'a=1; Max-Age=0; Path=/; HttpOnly; SameSite=Lax'],
    [{ expires: new Date(0) }, 'a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax'],
  ])('has the options %o', (options, expected) => {
    expect(set('a', '1', options)).toBe(expected)
  })

  it('is secure by the request, by the environment, and by the prefix of its name', () => {
    expect(set('a', '1', {}, true)).toContain('; Secure')
    expect(set('__Host-a', '1')).toBe('__Host-a=1; Path=/; HttpOnly; Secure; SameSite=Lax')
    expect(set('__secure-a', '1')).toContain('; Secure')
    expect(set('__Http-a', '1', { path: '/x' })).toBe('__Http-a=1; Path=/x; HttpOnly; Secure; SameSite=Lax')
    expect(set('__Host-Http-a', '1')).toBe('__Host-Http-a=1; Path=/; HttpOnly; Secure; SameSite=Lax')
    expect(toSetCookie('a', '1', {}, () => false, { ...rules, secureByDefault: true })).toContain('; Secure')
  })

  it.each<[name: string, value: string, options: CookieOptions, message: string]>([
    ['', 'v', {}, 'A cookie has a name of letters'],
    ['a=b', 'v', {}, 'not "a=b"'],
    ['a b', 'v', {}, 'not "a b"'],
    ['a;b', 'v', {}, 'not "a;b"'],
    ['ü', 'v', {}, 'not "ü"'],
    ['a\r\nx: y', 'v', {}, String.raw`not "a\r\nx: y"`],
    ['a', '\ud800', {}, "Cookie 'a': its value contains half of a surrogate pair"],
    ['a', 'v', { maxAgeSeconds: 1.5 }, 'maxAgeSeconds must be an integer of at least 0 (seconds), not 1.5'],
    ['a', 'v', { maxAgeSeconds: -1 }, 'not -1; delete() removes a cookie'],
    ['a', 'v', { expires: new Date(Number.NaN) }, 'expires must be a valid Date'],
    ['a', 'v', { domain: 'a b' }, 'domain must be a host name'],
    ['a', 'v', { domain: 'example.com; Secure' }, 'domain must be a host name'],
    ['a', 'v', { domain: '' }, 'domain must be a host name'],
    ['a', 'v', { domain: `${'a.'.repeat(200)}com` }, 'domain must be a host name'],
    ['a', 'v', { domain: '127.0.0.1' }, 'not an IP address: remove domain'],
    ['a', 'v', { domain: '.10.1' }, 'not an IP address: remove domain'],
    ['a', 'v', { domain: '::1' }, 'not an IP address: remove domain'],
    ['a', 'v', { domain: 'localhost' }, 'domain must have a dot, as example.com has: remove domain'],
    ['a', 'v', { domain: '.localhost' }, 'remove domain'],
    ['a', 'v', { expires: new Date(Date.UTC(10_000, 0)) }, 'expires must be a Date of the years 1601 to 9999'],
    ['a', 'v', { expires: new Date(Date.UTC(1600, 0)) }, 'expires must be a Date of the years 1601 to 9999'],
    ['a', 'v', { path: 'x' }, "path must begin with '/'"],
    ['a', 'v', { path: '/x;y' }, "path must begin with '/'"],
    ['a', 'v', { path: '/x\ny' }, "path must begin with '/'"],
    ['a', 'v', { sameSite: 'none', secure: false }, "Cookie 'a': sameSite: 'none' needs secure"],
    ['a', 'v', { partitioned: true, secure: false }, 'partitioned needs secure'],
    ['__Host-a', 'v', { secure: false }, 'a name with __Host- needs secure'],
    ['__Host-a', 'v', { domain: 'example.com' }, 'a name with __Host- has no domain'],
    ['__Host-a', 'v', { path: '/x' }, "a name with __Host- has the path '/'"],
    ['__Secure-a', 'v', { secure: false }, 'a name with __Secure- needs secure'],
    ['__Http-a', 'v', { secure: false }, 'a name with __Http- needs secure'],
    ['__http-a', 'v', { httpOnly: false }, 'a name with __http- needs httpOnly: remove httpOnly: false'],
    ['__Host-Http-a', 'v', { secure: false }, 'a name with __Host-Http- needs secure'],
    ['__Host-Http-a', 'v', { httpOnly: false }, 'a name with __Host-Http- needs httpOnly'],
    ['__Host-Http-a', 'v', { domain: 'example.com' }, 'a name with __Host-Http- has no domain'],
    ['__Host-Http-a', 'v', { path: '/x' }, "a name with __Host-Http- has the path '/'"],
    ['a', 'ü'.repeat(700), {}, 'name and value take 4201 bytes'],
    ['a', 'v', { signed: true }, "Cookie 'a' is signed, but the app has no secret"],
  ])('refuses %o with the value %o and %o', (name, value, options, message) => {
    expect(() => set(name, value, options)).toThrow(TypeError)
    expect(() => set(name, value, options)).toThrow(message)
  })
})

describe('a signature', () => {
  it.each(['', '.', 'x', 'a=b', '.'.repeat(8000), 'a.'.repeat(2000), '\ud800', `${'='.repeat(43)}`])(
    'that is broken is none: %#',
    (sent) => {
      expect(verifyValue('a', sent, ['a secret of more than thirty-two bytes'])).toBeNull()
    },
  )
})
