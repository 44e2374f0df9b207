import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { createNetworks, toAddress } from './networks.ts'

vi.setConfig({ testTimeout: 60_000 })

it('knows the addresses of its networks, however they are written', () => {
  const networks = createNetworks(['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'], 'a list')
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:DB8::1', '2001:db8:0:0::1'])
    expect([address, networks.has(address)]).toEqual([address, true])
  for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::1', '', 'ten', '10.1.2.3:80', '10.1.2'])
    expect([address, networks.has(address)]).toEqual([address, false])
})

it('contains no address when it is empty', () => {
  expect(createNetworks([], 'a list').has('127.0.0.1')).toBe(false)
})

it('names the option and the entry that is wrong', () => {
  const create = (entry: string) => () => createNetworks(['::1', entry], 'metrics({ access: { networks } })')
  expect(create('10.0.0.0/33')).toThrow(
    "metrics({ access: { networks } }): entry 2 must be an IP address or a CIDR network, such as 10.0.0.0/8, received '10.0.0.0/33'",
  )
  expect(create('home')).toThrow(
    expect.objectContaining({
      code: 'bad_option',
      message:
        "metrics({ access: { networks } }): entry 2 must be an IP address or a CIDR network, such as 10.0.0.0/8, received 'home'",
    }),
  )
})

it.each([
  '',
  '1.2.3',
  '1',
  '010.0.0.1',
  '10.0.0.01',
  '0x7f.0.0.1',
  '1.2.3.256',
  '1.2.3.4 ',
  '1.2.3.4%eth0',
  '::1%',
  '1::2::3',
])('does not accept %j as an address', (text) => {
  expect(toAddress(text)).toBeNull()
})

it.each(['::ffff:010.0.0.1', '::ffff:0x1.2.3.4', '::ffff:1.2.3', '::1.2.3', '[::1]', '::1/64', '1:2:3:4:5:6:7:8:9'])(
  'does not accept %j as an address either',
  (text) => {
    expect(toAddress(text)).toBeNull()
  },
)

it.each([
  ['2001:DB8:0:0:0:0:0:7', '2001:db8::7'],
  ['fe80::1%eth0', 'fe80::1'],
  ['::ffff:192.0.2.1', '192.0.2.1'],
  ['::FFFF:c000:201', '192.0.2.1'],
  ['::192.0.2.1', '::c000:201'],
  ['64:ff9b::192.0.2.1', '64:ff9b::c000:201'],
])('writes %s as %s', (text, expected) => {
  expect(toAddress(text)).toBe(expected)
})

it('is an IPv4 address only if it is one or is mapped from one', () => {
  const networks = createNetworks(['192.0.2.0/24'], 'a list')
  expect(networks.has('::ffff:c000:201')).toBe(true)
  expect(networks.has('::192.0.2.1')).toBe(false)
})

/** The spellings of an address that is given as a number. */
const spell = (value: bigint, bits: 32 | 128): string[] => {
  const part = (size: bigint, shift: number): number => Number((value >> BigInt(shift)) & (2n ** size - 1n))
  const dotted = [24, 16, 8, 0].map((shift) => part(8n, shift)).join('.')
  if (bits === 32)
    return [dotted, `::ffff:${dotted}`, `::FFFF:${part(16n, 16).toString(16)}:${part(16n, 0).toString(16)}`]
  const groups = [112, 96, 80, 64, 48, 32, 16, 0].map((shift) => part(16n, shift).toString(16))
  const padded = groups.map((group) => group.padStart(4, '0')).join(':')
  return [groups.join(':'), padded.toUpperCase(), `${padded}%eth0`, `${groups.slice(0, 6).join(':')}:${dotted}`]
}

it('has the addresses of a network by its prefix, in every spelling', () => {
  const family = fc.constantFrom(32, 128)
  const networkOf = (bits: 32 | 128) =>
    fc.record({
      bits: fc.constant(bits),
      base: fc.bigInt(0n, 2n ** BigInt(bits) - 1n),
      prefix: fc.integer({ min: 0, max: bits }),
      // Often an address that differs in a few bits only.
      flip: fc.oneof(
        fc.bigInt(0n, 2n ** BigInt(bits) - 1n),
        fc.integer({ min: 0, max: bits - 1 }).map((bit) => 1n << BigInt(bit)),
      ),
    })
  fc.assert(
    fc.property(
      family.chain((bits) => networkOf(bits)),
      ({ bits, base, prefix, flip }) => {
        const isMapped = (value: bigint): boolean => bits === 128 && value >> 32n === 0xffffn
        const address = base ^ flip
        fc.pre(!isMapped(base) && !isMapped(address))
        const [text = ''] = spell(base, bits)
        const networks = createNetworks([`${text}/${prefix}`], 'a list')
        const shift = BigInt(bits - prefix)
        for (const each of spell(address, bits))
          expect([each, networks.has(each)]).toEqual([each, base >> shift === address >> shift])
      },
    ),
    { numRuns: 5000 },
  )
})
