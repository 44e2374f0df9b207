import { isIPv6 } from 'node:net'
import { describe, expect, it } from 'vitest'
import { toIpText } from './uws-head.ts'

const bytes = (...values: number[]): ArrayBuffer => new Uint8Array(values).buffer

/** 16 bytes from 8 groups. */
const groups = (...values: number[]): ArrayBuffer => bytes(...values.flatMap((value) => [value >> 8, value & 0xff]))

describe('an IP address as text', () => {
  it('writes IPv4 dotted', () => {
    expect(toIpText(bytes(203, 0, 113, 7))).toBe('203.0.113.7')
  })

  it('writes IPv4 that came mapped into IPv6 dotted', () => {
    expect(toIpText(groups(0, 0, 0, 0, 0, 0xffff, 0xcb00, 0x7107))).toBe('203.0.113.7')
  })

  it.each([
    [[0, 0, 0, 0, 0, 0, 0, 1], '::1'],
    [[0, 0, 0, 0, 0, 0, 0, 0], '::'],
    [[0x2001, 0xdb8, 0, 0, 0, 0, 2, 1], '2001:db8::2:1'],
    [[0x2001, 0xdb8, 0, 1, 1, 1, 1, 1], '2001:db8:0:1:1:1:1:1'],
    [[0x2001, 0, 0, 1, 0, 0, 0, 1], '2001:0:0:1::1'],
    [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], '2001:db8::1:0:0:1'],
    [[0xfe80, 0, 0, 0, 0, 0, 0, 0], 'fe80::'],
    [[1, 2, 3, 4, 5, 6, 7, 0xabcd], '1:2:3:4:5:6:7:abcd'],
  ])('writes IPv6 in the form of RFC 5952 (%#)', (parts, text) => {
    expect(toIpText(groups(...parts))).toBe(text)
    expect(isIPv6(text)).toBe(true)
  })

  it('writes nothing for nothing', () => {
    expect(toIpText(new ArrayBuffer(0))).toBe('')
  })
})
