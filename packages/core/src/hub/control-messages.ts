import { createId } from '../base/unique-id.ts'
import type { ControlMessage } from './broker.ts'

/** What every control message carries, whatever its type. */
export interface ControlEnvelope {
  /** Of this message alone. */
  readonly id: string
  /** The id of the node that sent it. */
  readonly from: string
  /** Epoch milliseconds of the clock of that node. */
  readonly at: number
  readonly body: Readonly<Record<string, unknown>>
}

/** `body`: JSON. */
export function toControlMessage(type: string, from: string, at: number, body: object): ControlMessage {
  return { type, data: { id: createId(), from, at, body } }
}

/** Null for what no node of this version sends: another version of the app may run on another node. */
export function readEnvelope(data: unknown): ControlEnvelope | null {
  if (!isRecord(data)) return null
  const { id, from, at, body } = data
  if (!isName(id) || !isName(from) || typeof at !== 'number' || !Number.isFinite(at) || !isRecord(body)) return null
  return { id, from, at, body }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A string that is not empty. */
export function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
