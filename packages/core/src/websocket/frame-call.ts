import type { ActiveCall } from '../call/active-call.ts'
import type { CallConnection } from '../call/call.ts'
import type { CallPeer } from '../call/call-context.ts'
import type { AppError } from '../errors/app-error.ts'
import { uuidPattern } from '../protocol/frame.ts'
import type { FrameAnswer } from './client-frames.ts'
import type { WireConnection } from './wire.ts'

/** As the client sent it. */
type FrameId = string | number

const maxIdLength = 64

/** The `id` of a control frame, or its `req_id`; null for one that is missing or not valid. */
function readFrameId(fields: Readonly<Record<string, unknown>>, field: 'id' | 'req_id'): FrameId | null {
  const id = fields[field]
  if (field === 'req_id') return typeof id === 'string' && uuidPattern.test(id) ? id : null
  if (typeof id === 'string') return id.length <= maxIdLength ? id : null
  return typeof id === 'number' && Number.isSafeInteger(id) && id >= 0 ? id : null
}

/** The other end of a call that a control frame has started. Its answers are JSON text, whatever the codec of the connection. */
export class FrameCall implements CallPeer {
  readonly peer: WireConnection
  readonly fields: Readonly<Record<string, unknown>>
  /** Null: the client gets it as null, with an error. */
  readonly id: FrameId | null
  /** Undoes what the frame has begun, when an error was the answer: above all `deadline_exceeded`. */
  onFail: (() => void) | null = null
  #isAnswered = false

  constructor(peer: WireConnection, fields: Readonly<Record<string, unknown>>, idField: 'id' | 'req_id') {
    this.peer = peer
    this.fields = fields
    this.id = readFrameId(fields, idField)
  }

  get wire(): 'ws' {
    return 'ws'
  }
  get address(): string {
    return this.peer.address
  }
  get headers(): CallPeer['headers'] {
    return this.peer.headers
  }
  get query(): CallPeer['query'] {
    return this.peer.query
  }
  get connection(): CallConnection {
    return this.peer
  }
  get traceparent(): string | null {
    return this.peer.traceparent
  }
  /** Answered, with success or an error. */
  get isAnswered(): boolean {
    return this.#isAnswered
  }

  /** Sends the answer now. Only the first one is sent. */
  answer({ type, ...fields }: FrameAnswer): void {
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.peer.sendControl({ type, id: this.id, ...fields })
  }

  readInput(call: ActiveCall, next: (call: ActiveCall, input: unknown) => void): void {
    next(call, undefined)
  }
  succeed(_call: ActiveCall, result: unknown): number {
    if (isAnswer(result)) this.answer(result)
    return 200
  }
  fail({ services }: ActiveCall, { code, message, details }: AppError): void {
    if (this.#isAnswered) return
    const msg = services.errorLink === null ? message : `${message}${services.errorLink(code)}`
    this.answer({ type: 'error', code, msg, details: toJson(details) })
    this.onFail?.()
  }
  openItems(): never {
    throw new TypeError('The answer to a control frame is one frame')
  }
  ended(call: ActiveCall): void {
    this.peer.ended(call)
  }
}

function isAnswer(result: unknown): result is FrameAnswer {
  return typeof result === 'object' && result !== null && 'type' in result
}

/** Null for details that have no JSON form. */
function toJson(details: unknown): unknown {
  try {
    return JSON.stringify(details) === undefined ? null : details
  } catch {
    return null
  }
}
