import type { Publication } from '../call/publication.ts'
import type { Codec } from '../protocol/codec.ts'
import { type EventMeta, zeroUuid } from '../protocol/frame.ts'
import type { Position } from './broker.ts'
import { streamName } from './stream-key.ts'

/** `meta` of an event for connections that have opted in. */
export function toEventMeta({ audience, cause }: Publication, position: Position | null): EventMeta {
  const topic = streamName(audience)
  return position === null ? { topic, cause } : { topic, epoch: position.epoch, offset: position.offset, cause }
}

/** Bytes, because a string would be encoded to UTF-8 again for each socket. */
export function encodeEvent(codec: Codec, { pkgId, data }: Publication, meta: EventMeta | null): Uint8Array {
  const encoded = codec.encodeEvent(pkgId, data, meta, zeroUuid)
  return typeof encoded === 'string' ? Buffer.from(encoded) : encoded
}
