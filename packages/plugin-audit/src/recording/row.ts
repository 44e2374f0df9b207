import type { AppError, Call, Clock, Identity } from '@twinwire/core'
import { redactPath } from '@twinwire/core/plugin'
import { createRowId } from './row-id.ts'
import { toBeginning, toColumn, toRequestData } from './row-text.ts'

export const outcomes = ['success', 'error', 'permission_denied'] as const
export type Outcome = (typeof outcomes)[number]

/** A row that waits to be written: JSON by the names of the columns. It has no secrets any more. */
export interface Row {
  readonly json: string
  readonly outcome: Outcome
}

/** How a call has ended, or will be answered. */
export interface Ending {
  readonly error: AppError | null
  readonly aborted: boolean
  readonly httpStatus: number | null
  readonly durationMs: number
}

export interface RowOptions {
  readonly clock: Clock
  readonly maxRowBytes: number
  readonly roles: (identity: Identity) => readonly string[]
  /** A function of the application has failed. */
  readonly failed: (error: unknown) => void
}

/** Bytes of the columns; twice their sum is less than the smallest `maxRowBytes`. */
const longest = {
  user: 255,
  action: 160,
  resource: 512,
  address: 64,
  agent: 400,
  request: 128,
  error: 1000,
  roles: 1000,
}
const maxRoles = 50
const noIdentity = '"user_id":null,"username":null,"user_roles":[]'

/** Makes rows of calls. */
export class RowMaker {
  readonly #options: RowOptions
  /** As text: what a handler changes later, and secrets, must not be in a row. */
  readonly #inputs = new WeakMap<Call, string>()
  readonly #identities = new WeakMap<Identity, string>()

  constructor(options: RowOptions) {
    this.#options = options
  }

  keepInput(call: Call, input: unknown): void {
    const text = toRequestData(input, this.#options.maxRowBytes)
    if (text !== 'null') this.#inputs.set(call, text)
  }

  createId(): string {
    return createRowId(this.#options.clock.now())
  }

  toRow(call: Call, ending: Ending, id: string = this.createId()): Row {
    const { clock, maxRowBytes } = this.#options
    const { error, aborted, httpStatus, durationMs } = ending
    const outcome = toOutcome(ending)
    const message = error?.message ?? (aborted ? 'The client has disconnected' : null)
    const { route, wire, path } = call
    const action = wire === 'ws' ? `WS:${route.name}` : (call.method ?? 'HTTP')
    const resource = path === null ? (route.path ?? route.name) : redactPath(path, route.path)
    const start =
      `{"id":"${id}","timestamp":"${new Date(clock.now() - durationMs).toISOString()}",${this.#ofIdentity(call.identity)}` +
      `,"action_type":${toJson(action, longest.action)},"resource":${toJson(resource, longest.resource)},"outcome":"${outcome}"` +
      `,"ip_address":${toJson(call.address || null, longest.address)},"user_agent":${toJson(call.headers['user-agent'], longest.agent)}` +
      `,"request_id":${toJson(call.id, longest.request)},"response_status":${httpStatus ?? 'null'}` +
      `,"error_message":${toJson(message, longest.error)},"duration_ms":${Math.round(durationMs * 1000) / 1000},"request_data":`
    const input = this.#inputs.get(call) ?? 'null'
    const whole = `${start}${input}}`
    if (whole.length * 3 <= maxRowBytes || Buffer.byteLength(whole) <= maxRowBytes) return { json: whole, outcome }
    return { json: `${start}${toBeginning(input, maxRowBytes - Buffer.byteLength(start) - 1)}}`, outcome }
  }

  #ofIdentity(identity: Identity | null): string {
    if (identity === null) return noIdentity
    const known = this.#identities.get(identity)
    if (known !== undefined) return known
    const text = `"user_id":${toJson(identity.id, longest.user)},"username":${toJson(identity.name, longest.user)},"user_roles":${this.#toRoles(identity)}`
    this.#identities.set(identity, text)
    return text
  }

  #toRoles(identity: Identity): string {
    const roles: string[] = []
    let bytes = 0
    try {
      for (const role of this.#options.roles(identity)) {
        const text = JSON.stringify(toColumn(String(role), longest.user))
        bytes += Buffer.byteLength(text) + 1
        if (bytes > longest.roles || roles.length === maxRoles) break
        roles.push(text)
      }
    } catch (error) {
      this.#options.failed(error)
    }
    return `[${roles.join()}]`
  }
}

function toOutcome({ error, aborted }: Ending): Outcome {
  if (error === null) return aborted ? 'error' : 'success'
  return error.httpStatus === 401 || error.httpStatus === 403 ? 'permission_denied' : 'error'
}

function toJson(text: string | null | undefined, maxBytes: number): string {
  return JSON.stringify(toColumn(text, maxBytes))
}
