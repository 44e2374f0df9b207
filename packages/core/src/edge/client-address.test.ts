import { isIP } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { createClientAddress } from './client-address.ts'

// Thousands of runs each, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 })

const clients = createClientAddress(['10.0.0.0/8', '192.0.2.1', '2001:db8::/32', '::ffff:172.16.0.0/108'])

describe('the client address', () => {
  test.each([
    ['the header of a peer that is not a proxy is ignored', '203.0.113.9', '6.6.6.6', '203.0.113.9'],
    ['a proxy without the header is the client', '10.0.0.1', '', '10.0.0.1'],
    ['one proxy', '10.0.0.1', '203.0.113.7', '203.0.113.7'],
    ['entries further left may be forged', '10.0.0.1', '6.6.6.6, 203.0.113.7', '203.0.113.7'],
    ['a chain of proxies', '10.0.0.1', '6.6.6.6,203.0.113.7,10.1.1.1 , 192.0.2.1', '203.0.113.7'],
    ['proxies only: the left-most', '10.0.0.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'],
    ['a forged proxy behind the client is not reached', '10.0.0.1', '10.6.6.6, 203.0.113.7, 10.2.2.2', '203.0.113.7'],
    ['an invalid entry ends the search', '10.0.0.1', '203.0.113.7, unknown, 10.2.2.2', '10.2.2.2'],
    ['garbage at once', '10.0.0.1', '203.0.113.7, <script>', '10.0.0.1'],
    ['an empty entry is garbage', '10.0.0.1', '203.0.113.7,', '10.0.0.1'],
    ['an empty first entry', '10.0.0.1', ',10.2.2.2', '10.2.2.2'],
    ['a number out of range', '10.0.0.1', '203.0.113.256', '10.0.0.1'],
    ['an octet with a leading zero', '10.0.0.1', '203.0.113.07', '10.0.0.1'],
    ['a port', '10.0.0.1', '203.0.113.7:51234', '203.0.113.7'],
    ['brackets and a port', '10.0.0.1', '[2001:db9::7]:443', '2001:db9::7'],
    ['brackets', '10.0.0.1', '[2001:db9::7]', '2001:db9::7'],
    ['IPv6 in another spelling', '10.0.0.1', '2001:DB9:0:0:0:0:0:7', '2001:db9::7'],
    ['IPv4 in IPv6', '10.0.0.1', '::ffff:203.0.113.7', '203.0.113.7'],
    ['an IPv6 proxy', '2001:db8::1', '203.0.113.7, 2001:db8:5::9', '203.0.113.7'],
    ['a mapped network', '172.17.0.1', '203.0.113.7', '203.0.113.7'],
  ])('%s', (_name, peer, forwardedFor, expected) => {
    expect(clients.resolve(peer, forwardedFor)).toBe(expected)
  })

  test('no proxy is trusted by default [defect 76]', () => {
    const untrusting = createClientAddress([])
    expect(untrusting.resolve('127.0.0.1', '6.6.6.6')).toBe('127.0.0.1')
    expect(untrusting.isTrusted('127.0.0.1')).toBe(false)
  })

  test('isTrusted', () => {
    const peers = [
      '10.255.255.255',
      '::ffff:10.0.0.1',
      '192.0.2.1',
      '192.0.2.2',
      '11.0.0.1',
      '2001:db8:ffff::',
      '2001:db9::',
      '',
      'x',
    ]
    expect(peers.map(clients.isTrusted)).toEqual([true, true, true, false, false, true, false, false, false])
  })

  test('answers with the peer or an IP address of the header, and never with one left of an untrusted one [defect 29]', () => {
    const entry = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom('10.0.0.7', 'unknown', '', '10.9.9.9:80', '[::1]:1'),
      fc.string({ maxLength: 5 }),
    )
    fc.assert(
      fc.property(fc.constantFrom('10.0.0.1', '8.8.8.8'), fc.array(entry, { maxLength: 5 }), (peer, entries) => {
        const client = clients.resolve(peer, entries.join(','))
        expect(isIP(client)).not.toBe(0)
        if (peer === '8.8.8.8') expect(client).toBe(peer)
        expect(clients.resolve(peer, [...entries, '203.0.113.7'].join(','))).toBe(
          peer === '8.8.8.8' ? peer : '203.0.113.7',
        )
      }),
      { numRuns: 2000 },
    )
  })
})

test.each([
  '',
  'localhost',
  '10.0.0.0/33',
  '10.0.0.0/-1',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0/8',
  '::/129',
  'fe80::1%eth0',
  '::ffff:10.0.0.0/95',
  '*',
  '10.0.0.0/1e1',
])('%j is not a valid proxy', (entry) => {
  const create = (): unknown => createClientAddress(['10.0.0.0/8', entry])
  expect(create).toThrow(BootError)
  expect(create).toThrow(expect.objectContaining({ code: 'bad_option' }))
  expect(create).toThrow(`'${entry}'`)
})
