import type { MaybePromise } from '../base/maybe-promise.ts'
import { isStreamReply, type StreamSource } from './reply.ts'

type Chunk = string | Uint8Array

/** A source as it is read: one chunk at a time, until it is over or ended from outside. */
export interface SourceReader {
  next(): MaybePromise<IteratorResult<Chunk, unknown>>
  /**
   * Ends the source, also while `next` waits. An async generator that waits for something ends only after that: no one can take it
   * out of its `await`, which is what `call.signal` is for. Rejects with what the source throws as it ends.
   */
  end(): Promise<void>
}

/** Each kind of source has a way of its own to be ended while it gives nothing. */
export function openSource(source: StreamSource): SourceReader {
  if (source instanceof ReadableStream) {
    // By its iterator it could not be cancelled before the next chunk.
    const reader: ReadableStreamDefaultReader<Chunk> = source.getReader()
    return { next: () => reader.read(), end: () => reader.cancel() }
  }
  const iterator = isAsync(source) ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  return {
    next: () => iterator.next(),
    end: async () => {
      // A stream of Node: its iterator does not return before the next chunk either.
      if (typeof source === 'object' && 'destroy' in source && typeof source.destroy === 'function') source.destroy()
      await iterator.return?.()
    },
  }
}

function isAsync(source: StreamSource): source is AsyncIterable<Chunk> {
  return typeof source === 'object' && Symbol.asyncIterator in source
}

/** A stream of Node says so when it is destroyed while it is read, which we did. */
export function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** A result that is not sent: a source in it is ended, or the file or the query that it reads would stay open. */
export async function discardResult(result: unknown): Promise<void> {
  if (isStreamReply(result)) await openSource(result.value).end()
}
