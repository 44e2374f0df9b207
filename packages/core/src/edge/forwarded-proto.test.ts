import fc from 'fast-check'
import { afterEach, describe, expect, it, test, vi } from 'vitest'
import { MemoryRequest } from '../testing/memory-transport/memory-request.ts'
import { onTransports } from '../testing/on-transports.ts'
import { isSecureAt, mayBeSecure } from './forwarded-proto.ts'
import { RequestPreprocessor } from './request-preprocessor.ts'

vi.setConfig({ testTimeout: 60_000 })

const preprocessor = new RequestPreprocessor({ trustedProxies: ['10.0.0.0/8'], hosts: null }, [])
type Fields = Readonly<Record<string, string | readonly string[]>>
const isSecure = (address: string, headers: Fields): boolean =>
  preprocessor.isSecure(
    new MemoryRequest({ method: 'GET', path: '/', headers, address, secure: false }, (error) => {
      throw error
    }),
  )

const proxy = '10.0.0.1'
const client = '203.0.113.7'

describe('X-Forwarded-Proto', () => {
  test.each<[string, boolean, string, Fields]>([
    ['one entry', true, proxy, { 'x-forwarded-proto': 'https' }],
    ['in capitals', true, proxy, { 'x-forwarded-proto': 'HTTPS' }],
    ['of an upgrade, as some proxies write it', true, proxy, { 'x-forwarded-proto': 'wss' }],
    ['plain', false, proxy, { 'x-forwarded-proto': 'http' }],
    ['none', false, proxy, {}],
    ['empty', false, proxy, { 'x-forwarded-proto': '' }],
    ['garbage', false, proxy, { 'x-forwarded-proto': 'https://' }],
    ['another word', false, proxy, { 'x-forwarded-proto': 'nothttps' }],
    ['from a peer that is not a proxy', false, client, { 'x-forwarded-proto': 'https' }],
    ['the same twice in one line', true, proxy, { 'x-forwarded-proto': 'https, https' }],
    ['the same in two lines', true, proxy, { 'x-forwarded-proto': ['https', 'https'] }],
    ['without spaces', true, proxy, { 'x-forwarded-proto': 'http,https' }],
    ['with tabs and capitals', true, proxy, { 'x-forwarded-proto': 'http,\t Https \t' }],
    ['an empty entry', false, proxy, { 'x-forwarded-proto': 'https,' }],
    ['only commas', false, proxy, { 'x-forwarded-proto': ',,' }],
    ['that the client forged', false, proxy, { 'x-forwarded-proto': 'https, http', 'x-forwarded-for': client }],
    [
      'that the client forged, with an address',
      false,
      proxy,
      { 'x-forwarded-proto': 'https, http', 'x-forwarded-for': `6.6.6.6, ${client}` },
    ],
    [
      'of two proxies, the first of which was spoken to by TLS',
      true,
      proxy,
      { 'x-forwarded-proto': 'https, http', 'x-forwarded-for': `${client}, 10.0.0.2` },
    ],
    [
      'of two proxies, only the second of which was spoken to by TLS',
      false,
      proxy,
      { 'x-forwarded-proto': 'http, https', 'x-forwarded-for': `${client}, 10.0.0.2` },
    ],
    [
      'that two proxies passed on from the first',
      true,
      proxy,
      { 'x-forwarded-proto': 'https', 'x-forwarded-for': `${client}, 10.0.0.3, 10.0.0.2` },
    ],
    ['without an address, of the peer', false, proxy, { 'x-forwarded-proto': 'https, http' }],
    [
      'an address that cannot be read: of the peer',
      true,
      proxy,
      { 'x-forwarded-proto': 'http, https', 'x-forwarded-for': `${client}, unknown` },
    ],
    [
      'of a chain longer than the list of addresses',
      false,
      proxy,
      { 'x-forwarded-proto': 'https,'.repeat(5000).concat('http'), 'x-forwarded-for': client },
    ],
  ])('%s', (_name, expected, address, headers) => {
    expect(isSecure(address, headers)).toBe(expected)
  })

  it('says how the client spoke to the first proxy, whatever the client forged, if each proxy adds to both headers', () => {
    const proto = fc.constantFrom('http', 'https')
    const forged = fc.array(fc.oneof(proto, fc.constantFrom('HTTPS', 'wss', '', ' ', 'x')), { maxLength: 4 })
    const forgedFor = fc.array(fc.oneof(fc.ipV4(), fc.constantFrom('10.0.0.9', 'unknown', '')), { maxLength: 4 })
    const hops = fc.array(proto, { minLength: 1, maxLength: 4 })
    fc.assert(
      fc.property(forged, forgedFor, hops, (protos, addresses, chain) => {
        // The first entry of each header that a proxy wrote is about the client, the next about the proxy before.
        const peers = chain.map((_, at) => (at === 0 ? client : `10.0.0.${at + 1}`))
        const headers = {
          'x-forwarded-proto': [...protos, ...chain].join(', '),
          'x-forwarded-for': [...addresses, ...peers].join(', '),
        }
        expect(isSecure(proxy, headers)).toBe(chain[0] === 'https')
        expect(isSecure('203.0.113.9', headers)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })

  it('is the entry that a split would find, for every text', () => {
    const text = fc.array(fc.constantFrom('https', 'HTTP', 'wss', ',', ' ', '\t', 'x'), { maxLength: 12 })
    fc.assert(
      fc.property(text, fc.nat({ max: 8 }), (parts, hops) => {
        const value = parts.join('')
        const entries = value.split(',')
        const entry = entries[Math.max(0, entries.length - Math.max(1, hops))] ?? ''
        const expected = ['https', 'wss'].includes(entry.trim().toLowerCase())
        expect(isSecureAt(value, hops)).toBe(expected)
        if (expected) expect(mayBeSecure(value)).toBe(true)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('X-Forwarded-Proto in lines of a request', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is read as a list', async () => {
      const { request } = await start({ pkgIds: {}, routes: {}, http: { trustedProxies: ['127.0.0.1'] } })
      const hasHsts = async (headers: Fields): Promise<boolean> =>
        'strict-transport-security' in (await request('GET /none', { headers })).headers
      expect(await hasHsts({ 'x-forwarded-proto': ['https', 'https'] })).toBe(true)
      expect(await hasHsts({ 'x-forwarded-proto': 'https, https' })).toBe(true)
      expect(await hasHsts({ 'x-forwarded-proto': ['https', 'http'], 'x-forwarded-for': client })).toBe(false)
      expect(await hasHsts({ 'x-forwarded-proto': ['https', 'http'], 'x-forwarded-for': [client, '10.0.0.1'] })).toBe(
        false,
      )
    })
  })
})
