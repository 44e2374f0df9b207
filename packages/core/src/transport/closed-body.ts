import type { BodyFailure, BodyReader } from './transport.ts'

/** A body of which there is nothing to read: `end` is null when the request has none, else why it cannot be read. */
export function closedBody(end: null | BodyFailure): BodyReader {
  return { length: end === null ? 0 : null, read: (done) => done(end), cancel() {}, renew() {} }
}
