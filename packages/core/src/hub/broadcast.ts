import type { Publication } from '../call/publication.ts'
import type { Codec } from '../protocol/codec.ts'
import type { Member } from './member.ts'

const noBytes = new Uint8Array()

/**
 * Sends a publication to each member, encoded once for each codec. A member that proves too slow leaves the set while it is
 * walked, which a Set allows.
 *
 * Each send is the transport's own `send` and not its native publish: that one loses the rest of a batch for a slow socket without
 * saying so (rule 13), and what comes after a loss would reach the client as if nothing were missing.
 */
export function deliverTo(members: Iterable<Member>, publication: Publication): void {
  let codec: Codec | null = null
  let bytes: Uint8Array = noBytes
  let others: Map<Codec, Uint8Array> | null = null
  for (const member of members) {
    if (member.codec !== codec) {
      others ??= new Map()
      codec = member.codec
      bytes = others.get(codec) ?? encode(codec, publication)
      others.set(codec, bytes)
    }
    member.deliver(bytes, codec.binary)
  }
}

function encode(codec: Codec, { pkgId, data }: Publication): Uint8Array {
  const encoded = codec.encodeEvent(pkgId, data)
  // Bytes go to each socket as they are; a string would be turned into UTF-8 once for each of them.
  return typeof encoded === 'string' ? Buffer.from(encoded) : encoded
}
