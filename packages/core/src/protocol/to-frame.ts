import { MalformedRequestError, ValidationError } from '../errors/app-error.ts'
import {
  type Frame,
  maxPkgId,
  type RefusedFrame,
  type RequestFrame,
  unknownPkgId,
  uuidPattern,
  zeroUuid,
} from './frame.ts'
import { findUnsafe } from './safe-value.ts'

/**
 * The frame that a decoded value is: a codec parses bytes, and this checks the envelope and what no schema looks for. The envelope is
 * checked by hand, because a schema would cost as much as the parse.
 *
 * @param value - `{ pkg_id, req_id, method?, data?, traceparent? }` or `{ type, … }`; anything else is refused.
 * @param hadEscapes - See `findUnsafe`.
 *
 * @example
 * const codec: Codec = { decode: (data) => toFrame(decodeMsgpack(data)), … }
 */
export function toFrame(value: unknown, hadEscapes = true): Frame {
  if (!isRecord(value)) return refuseFrame('The frame is not an object')
  const { pkg_id: pkgId, req_id: reqId, method, data, traceparent } = value
  if (pkgId === undefined && typeof value.type === 'string') return { kind: 'control', type: value.type, fields: value }

  const readablePkgId = isPkgId(pkgId) ? pkgId : unknownPkgId
  if (typeof reqId !== 'string' || !uuidPattern.test(reqId)) return refuseFrame('req_id must be a UUID', readablePkgId)
  if (readablePkgId === unknownPkgId)
    return refuseFrame(`pkg_id must be an integer from 1 to ${maxPkgId}`, unknownPkgId, reqId)
  if (method !== undefined && method !== null && typeof method !== 'string')
    return refuseFrame('method must be a string or null', readablePkgId, reqId)
  const untraced = { kind: 'request', pkgId: readablePkgId, reqId, method: method ?? '' } as const
  // One of another type is ignored, as a header that is not valid is: tracing fails no call.
  const request = typeof traceparent === 'string' ? { ...untraced, traceparent } : untraced
  // A new object: a handler may get it as its input, and change it.
  if (data === undefined || data === null) return { ...request, data: {} }
  if (!isRecord(data)) return refuseFrame('data must be an object or null', readablePkgId, reqId)
  return checkData({ ...request, data }, hadEscapes)
}

/** The frame itself; refused where its data has something that `findUnsafe` finds. */
export function checkData(frame: RequestFrame, hadEscapes: boolean): Frame {
  const unsafe = findUnsafe(frame.data, hadEscapes)
  if (unsafe === null) return frame
  const { pkgId, reqId } = frame
  return { kind: 'refused', pkgId, reqId, error: new ValidationError(undefined, [unsafe]) }
}

/**
 * A frame that is answered by `malformed_request`: bytes that a codec cannot parse.
 *
 * @param message - What is wrong, for the client.
 * @param pkgId - That of the frame; 0 when it cannot be read.
 * @param reqId - That of the frame; the zero UUID when it cannot be read.
 */
export function refuseFrame(message: string, pkgId: number = unknownPkgId, reqId: string = zeroUuid): RefusedFrame {
  return { kind: 'refused', pkgId, reqId, error: new MalformedRequestError(message) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPkgId(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= maxPkgId
}
