import fc from 'fast-check'
import Negotiator from 'negotiator'
import { describe, expect, it } from 'vitest'
import { chooseEncoding, type Encoding } from './accept-encoding.ts'

const cases: readonly [header: string, encoding: Encoding | null][] = [
  ['', null],
  ['gzip', 'gzip'],
  ['br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['deflate, compress, zstd', null],
  ['*', 'br'],
  ['*;q=0', null],
  ['gzip;q=0, *', 'br'],
  ['br;q=0, *;q=0.1', 'gzip'],
  ['br;q=0.5, gzip;q=0.8', 'gzip'],
  ['br;q=0.8, gzip;q=0.8', 'br'],
  ['gzip;q=0.001', 'gzip'],
  ['gzip;q=0', null],
  ['gzip; q = 0.5 , br ; Q=0.4', 'gzip'],
  ['identity', null],
  ['identity, gzip;q=0.5', null],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['identity;q=0', null],
  ['identity;q=0, gzip;q=0.1', 'gzip'],
  ['identity, *;q=0.5', null],
  ['gzip;q=0.5, *;q=0.8', 'br'],
  ['gzip;q=0.4, gzip;q=0.9, br;q=0.5', 'gzip'],
  ['gzip;q=2', null],
  ['gzip;q=-1', null],
  ['gzip;q=much', null],
  ['gzip;q=', null],
  ['gzip;q=0.1234', null],
  ['gzip;level=9', 'gzip'],
  ['gzip;level=9;q=0', null],
  ['gzi', null],
  ['gzipped, brr', null],
  ['gzip br', null],
  [',;,;q=,=,,', null],
  [';q=1', null],
  [', ,gzip,', 'gzip'],
]

it.each(cases)('%j is answered with %j', (header, encoding) => {
  expect(chooseEncoding(header)).toBe(encoding)
})

it('reads a header of any length', () => {
  expect(chooseEncoding(`${'deflate;q=0.5,'.repeat(200_000)}gzip`)).toBe('gzip')
  expect(chooseEncoding(','.repeat(1_000_000))).toBe(null)
  expect(chooseEncoding(`gzip${';a=b'.repeat(200_000)}`)).toBe('gzip')
  expect(chooseEncoding('g'.repeat(1_000_000))).toBe(null)
})

describe('agrees with negotiator', () => {
  const coding = fc.constantFrom('br', 'gzip', 'identity', '*', 'deflate', 'zstd', 'GZip', 'Br')
  const weight = fc.oneof(
    fc.constantFrom('', ';q=0', ';q=1', ';q=0.5', '; q=0.8', ' ;q=0.001', ';q=1.000', ';a=b;q=0.3'),
    fc.integer({ min: 0, max: 999 }).map((digits) => `;q=0.${String(digits).padStart(3, '0')}`),
  )
  const member = fc.tuple(coding, weight).map(([name, q]) => name + q)
  const separator = fc.constantFrom(',', ', ', ' , ')

  it('on lists of codings with weights', () => {
    fc.assert(
      fc.property(fc.array(member, { minLength: 1, maxLength: 8 }), separator, (members, comma) => {
        const header = members.join(comma)
        expect(chooseEncoding(header) ?? 'identity').toBe(byNegotiator(header))
      }),
      { numRuns: 5000 },
    )
  })

  // It reads the number at the beginning of a weight that is none, and has no alias for gzip.
  it.each([
    ['gzip;q=2', null, 'gzip'],
    ['gzip;q=0.5x', null, 'gzip'],
    ['gzip;q=0.1234', null, 'gzip'],
    ['x-gzip', 'gzip', 'identity'],
  ])('but not on %s', (header, ours, theirs) => {
    expect(chooseEncoding(header)).toBe(ours)
    expect(byNegotiator(header)).toBe(theirs)
  })
})

/** Its types lack the option. */
function byNegotiator(header: string): unknown {
  const negotiator = new Negotiator({ headers: { 'accept-encoding': header } })
  const offered = ['br', 'gzip', 'identity']
  const chosen: unknown = Reflect.apply(negotiator.encoding, negotiator, [offered, { preferred: ['br', 'gzip'] }])
  // Where not even `identity` is acceptable, a body as it is is better than a 406.
  return chosen ?? 'identity'
}

it.each([
  ['gzip, deflate, br', ['gzip'], 'gzip'],
  ['br, gzip;q=0.1', ['gzip'], 'gzip'],
  ['*', ['gzip'], 'gzip'],
  ['br', ['gzip'], null],
  ['br, identity;q=0.5, gzip;q=0.1', ['gzip'], null],
  ['br, gzip', [], null],
] as const)('chooses of %j among %j', (header, available, encoding) => {
  expect(chooseEncoding(header, 'br', available)).toBe(encoding)
})
