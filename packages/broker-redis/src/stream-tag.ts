import { createHash } from 'node:crypto'
import type { Stream } from '@twinwire/core/transport'

/** Longer names are hashed: clients may choose them, and Redis stores them. */
const maxLength = 128

/**
 * `{:news}` of a topic, `{@7}` of an identity, `{*}` of all: the part of a key that determines the hash slot in a cluster. Braces and `%` of
 * a name are escaped, so that two streams never share a tag, and a name cannot choose its slot.
 */
export function streamTag(stream: Stream): string {
  if (stream.kind === 'all') return '{*}'
  return stream.kind === 'topic' ? `{:${escapeName(stream.topic)}}` : `{@${escapeName(stream.identityId)}}`
}

/** A half of a surrogate pair: as UTF-8 all of them are the same character. */
const loneSurrogate = /[\ud800-\udfff]/u

function escapeName(name: string): string {
  const isPlain = name.length <= maxLength && !loneSurrogate.test(name)
  if (isPlain) return name.replace(/[%{}]/g, encodeURIComponent)
  // No escape sequence contains `%=`, so no other name can equal this hash.
  return `%=${createHash('sha256').update(Buffer.from(name, 'utf16le')).digest('base64url')}`
}
