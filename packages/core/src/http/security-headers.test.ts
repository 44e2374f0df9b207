import { describe, expect, test } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { createSecurityHeaders, securityHeaders } from './security-headers.ts'

const csp =
  `default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; ` +
  `connect-src 'self' ws: wss:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'`
const common = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  'x-xss-protection': '1; mode=block',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'geolocation=(), microphone=(), camera=()',
}

describe('securityHeaders', () => {
  test('over plain HTTP nothing sends the browser to TLS [defect 71]', () => {
    expect(Object.fromEntries(securityHeaders(false))).toEqual({ ...common, 'content-security-policy': csp })
  })

  test('over TLS', () => {
    expect(Object.fromEntries(securityHeaders(true))).toEqual({
      ...common,
      'strict-transport-security': 'max-age=31536000; includeSubDomains',
      'content-security-policy': `${csp}; upgrade-insecure-requests`,
    })
  })

  test('are made once and cannot be changed', () => {
    expect(securityHeaders(true)).toBe(securityHeaders(true))
    expect(Object.isFrozen(securityHeaders(true))).toBe(true)
    expect(securityHeaders(false).every(Object.isFrozen)).toBe(true)
  })
})

describe('createSecurityHeaders', () => {
  test('replaces, leaves out and adds by name', () => {
    const headersOf = createSecurityHeaders({
      'x-frame-options': 'SAMEORIGIN',
      'x-xss-protection': false,
      'cross-origin-opener-policy': 'same-origin',
    })
    const headers = Object.fromEntries(headersOf(false))
    expect(headers).toMatchObject({ 'x-frame-options': 'SAMEORIGIN', 'cross-origin-opener-policy': 'same-origin' })
    expect(headers).not.toHaveProperty('x-xss-protection')
  })

  test('HSTS stays with TLS whatever its value', () => {
    const headersOf = createSecurityHeaders({ 'strict-transport-security': 'max-age=60' })
    expect(Object.fromEntries(headersOf(true))).toMatchObject({ 'strict-transport-security': 'max-age=60' })
    expect(Object.fromEntries(headersOf(false))).not.toHaveProperty('strict-transport-security')
    const without = createSecurityHeaders({ 'strict-transport-security': false })
    expect(Object.fromEntries(without(true))).not.toHaveProperty('strict-transport-security')
  })

  test.each([
    ['X-Frame-Options', 'DENY'],
    ['x frame', 'a'],
    ['', 'a'],
    ['x-a', 'a\r\nset-cookie: b'],
    ['x-a', ''],
    ['x-a', ' a'],
    ['x-a', '\u00e9'],
  ])('refuses %j: %j', (name, value) => {
    const create = (): unknown => createSecurityHeaders({ [name]: value })
    expect(create).toThrow(BootError)
    expect(create).toThrow(expect.objectContaining({ code: 'bad_option' }))
  })
})
