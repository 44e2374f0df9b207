import type { BodyFailure, BodyReader } from '../../../transport/transport.ts'

export type Piece = Uint8Array | null | BodyFailure

export const next = (body: BodyReader): Promise<Piece> => new Promise((resolve) => body.read(resolve))

/** Pieces of a chunked body; `taken`: how many were requested. */
export function pieces(count: number, bytes: number): { source: AsyncIterable<Uint8Array>; taken: () => number } {
  let taken = 0
  async function* generate(): AsyncGenerator<Uint8Array> {
    while (taken < count) {
      taken += 1
      yield new Uint8Array(bytes).fill(1)
    }
  }
  return { source: generate(), taken: () => taken }
}

/** A body whose end never comes. */
export async function* endless(first: Uint8Array): AsyncGenerator<Uint8Array> {
  yield first
  await new Promise(() => {})
}
