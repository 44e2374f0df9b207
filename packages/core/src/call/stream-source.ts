import type { MaybePromise } from '../base/maybe-promise.ts'
import { isTopicSource } from './events-source.ts'
import { isEventsReply, isStreamReply } from './reply.ts'

/** Reads a source one value at a time, until its end or until `end` is called. */
export interface SourceReader<T> {
  next(): MaybePromise<IteratorResult<T, unknown>>
  /**
   * Ends the source, also while `next` waits. An async generator that waits for something ends only after that: its `await` cannot be
   * interrupted, which is what `call.signal` is for. Rejects with what the source throws as it ends.
   */
  end(): Promise<void>
}

/** Each kind of source is ended in another way while it is idle. */
export function openSource<T>(source: AsyncIterable<T> | Iterable<T>): SourceReader<T> {
  if (source instanceof ReadableStream) {
    // Its iterator could not be cancelled before the next chunk.
    const reader: ReadableStreamDefaultReader<T> = source.getReader()
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

function isAsync<T>(source: AsyncIterable<T> | Iterable<T>): source is AsyncIterable<T> {
  return typeof source === 'object' && Symbol.asyncIterator in source
}

/** The error of a stream of Node that was destroyed while it was read. */
export function isPrematureClose(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** Ends the source of a result that is not sent: the file or the query that it reads would stay open. */
export async function discardResult(result: unknown): Promise<void> {
  if (isStreamReply(result)) await openSource(result.value).end()
  else if (isEventsReply(result)) {
    const { source } = result.value
    if (!isTopicSource(source)) await openSource(source).end()
  }
}
