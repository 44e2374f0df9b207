import { isFraming } from '../../transport/answer-rules.ts'
import type { HeaderList } from '../../transport/transport.ts'

/**
 * Runs `deliver` in a macrotask of its own, in the order of the calls, so that promises settle between two deliveries, as they do between
 * two reads of a real socket. Captured when the module loads, so that fake timers of a test do not stop the network.
 */
export const later: (deliver: () => void) => unknown = setImmediate

const encoder = new TextEncoder()

/** A copy: a sender may reuse its buffer at once, and that of a receiver may be detached. */
export function toOwnBytes(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(typeof data === 'string' ? encoder.encode(data) : data)
}

/** Joins what arrived in pieces. */
export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const chunk of chunks) length += chunk.byteLength
  const whole = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    whole.set(chunk, offset)
    offset += chunk.byteLength
  }
  return whole
}

/** Each `set-cookie` by itself: joined they could not be told apart. */
export function toSetCookies(list: HeaderList): readonly string[] {
  return list.filter(([name]) => name.toLowerCase() === 'set-cookie').map(([, value]) => value)
}

/** What a client sees of written headers: by lower-case name, repeated ones joined. */
export function toHeaderRecord(list: HeaderList): Record<string, string> {
  const record: Record<string, string> = {}
  for (const [name, value] of list) {
    const key = name.toLowerCase()
    const before = record[key]
    record[key] = before === undefined ? value : `${before}, ${value}`
  }
  return record
}

/** Without what a transport writes by itself, and a handler cannot. */
export function withoutFraming(list: HeaderList): HeaderList {
  return list.filter(([name, value]) => !isFraming(name.toLowerCase(), value))
}

/** The error of a port without a listener. */
export function refusedError(): Error {
  return Object.assign(new Error('connect ECONNREFUSED: the memory transport is not listening'), {
    code: 'ECONNREFUSED',
  })
}

/** The error of a connection that the other side cut. */
export function resetError(): Error {
  return Object.assign(new Error('socket hang up: the server cut the connection'), { code: 'ECONNRESET' })
}
