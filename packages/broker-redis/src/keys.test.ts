import type { Stream } from '@twinwire/core/transport'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { streamKeys } from './keys.ts'
import { streamTag } from './stream-tag.ts'

/** As Redis Cluster computes it: from the first `{` to the next `}`, unless nothing is between them. */
const hashTag = (key: string): string | undefined => /\{([^}]+)\}/.exec(key)?.[1]

const pieces = fc.constantFrom(
  '{',
  '}',
  '{}',
  '%',
  '%7B',
  '%=',
  ':',
  '@',
  '*',
  'a',
  'ü',
  '😀',
  '\ud83d',
  '\udc00',
  'x'.repeat(60),
)
const names = fc.array(pieces, { minLength: 1, maxLength: 8 }).map((parts) => parts.join(''))
const streams: fc.Arbitrary<Stream> = fc.oneof(
  names.map((topic): Stream => ({ kind: 'topic', topic })),
  names.map((identityId): Stream => ({ kind: 'identity', identityId })),
  fc.constant<Stream>({ kind: 'all' }),
)

describe('keys of a stream', () => {
  it('name it', () => {
    expect(streamKeys('p:', { kind: 'topic', topic: 'news' })).toMatchObject({
      meta: 'p:stream:{:news}:meta',
      history: 'p:stream:{:news}:history',
      channel: 'p:stream:{:news}:channel',
    })
    expect(streamTag({ kind: 'identity', identityId: '7' })).toBe('{@7}')
    expect(streamTag({ kind: 'all' })).toBe('{*}')
  })

  it('share a hash tag, which is that of no other stream, whatever characters its name contains', () => {
    fc.assert(
      fc.property(streams, streams, (a, b) => {
        const keys = streamKeys('p:', a)
        const tag = hashTag(keys.meta)
        expect(tag).toBeDefined()
        for (const key of [keys.history, keys.channel, keys.producer('n'), keys.publication('{k}')])
          expect(hashTag(key)).toBe(tag)
        expect(hashTag(streamKeys('p:', b).meta) === tag).toBe(JSON.stringify(a) === JSON.stringify(b))
        expect(keys.meta.length).toBeLessThan(450)
      }),
      { numRuns: 2000 },
    )
  })

  it('do not collide when a name equals the hash of another', () => {
    const long = streamTag({ kind: 'topic', topic: 'x'.repeat(200) })
    expect(streamTag({ kind: 'topic', topic: long.slice(2, -1) })).not.toBe(long)
  })
})
