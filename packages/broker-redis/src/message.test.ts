import fc from 'fast-check'
import { expect, it } from 'vitest'
import { decodeMessage, decodePublication, encodePublication } from './message.ts'

it('a publication is what it was, without its audience', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1 }), fc.jsonValue(), fc.option(fc.uuid()), (pkgId, value, cause) => {
      const data: unknown = JSON.parse(JSON.stringify(value))
      const publication = { audience: { kind: 'all' }, pkgId, data, cause } as const
      expect(decodePublication(publication.audience, encodePublication(publication))).toEqual(publication)
    }),
  )
})

it('anything else than a publication is null', () => {
  for (const text of ['', '{', 'null', '[]', '[1,null]', '["1",null,2]', '[1,2,3]'])
    expect(decodePublication({ kind: 'all' }, text)).toBeNull()
})

it('messages have a place, none, a member, or nothing', () => {
  expect(decodeMessage('+e-1 12 [1,null,"a b"]')).toEqual({
    kind: 'placed',
    epoch: 'e-1',
    offset: 12,
    text: '[1,null,"a b"]',
  })
  expect(decodeMessage('=[1,null,2]')).toEqual({ kind: 'unplaced', text: '[1,null,2]' })
  expect(decodeMessage('!joined {}')).toEqual({ kind: 'joined', text: '{}' })
  expect(decodeMessage('!left {}')).toEqual({ kind: 'left', text: '{}' })
  expect(decodeMessage('~')).toEqual({ kind: 'heartbeat' })
  for (const text of ['', '+', '+e', '+e x []', '+ 1 []', '!', '?']) expect(decodeMessage(text)).toBeNull()
})
