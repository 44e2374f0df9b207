import { BootError } from '../base/boot-error.ts'
import { isOrigin } from '../edge/host.ts'
import { checkKeys } from '../route/route-definition.ts'
import { checkSocketLimits, defaultSocketLimits } from '../transport/socket-limits.ts'
import type { SocketLimits } from '../transport/transport.ts'

/** The WebSocket wire of an app. */
export interface WebSocketOptions extends Partial<SocketLimits> {
  /** Default `/ws`. */
  readonly path?: `/${string}`
  /**
   * Origins that browsers may connect from, `https://app.example`; `*` for any. Default: any in development and test, else only
   * the host of the request. A client without an Origin header is not a browser and is accepted.
   */
  readonly origins?: readonly string[]
  /** Calls of one connection that may run at once. Default 64. */
  readonly maxInFlight?: number
  /** A larger message is rejected with `payload_too_large`. Default 256 KiB. */
  readonly maxMessageBytes?: number
  /** Malformed frames in a row that close a connection. Default 10. */
  readonly maxMalformedFrames?: number
  /** `connection`: one call at a time, in order of arrival. Default `none`: concurrently, replies in any order. */
  readonly ordered?: 'connection' | 'none'
}

export type ResolvedWebSocketOptions = SocketLimits & {
  readonly path: string
  /** Null: any. */
  readonly origins: readonly string[] | 'same-host' | null
  readonly maxInFlight: number
  readonly maxMessageBytes: number
  readonly maxMalformedFrames: number
  readonly ordered: boolean
}

const known = [
  ...Object.keys(defaultSocketLimits),
  'path',
  'origins',
  'maxInFlight',
  'maxMessageBytes',
  'maxMalformedFrames',
  'ordered',
]

export function resolveWebSocketOptions(options: WebSocketOptions, isDevelopment: boolean): ResolvedWebSocketOptions {
  checkKeys(options, known, 'websocket')
  const {
    path = '/ws',
    maxInFlight = 64,
    maxMessageBytes = 256 * 1024,
    maxMalformedFrames = 10,
    ordered = 'none',
  } = options
  if (!/^(\/[\w.~-]+)+$/.test(path))
    throw new BootError('bad_option', `websocket.path must be a plain path such as '/ws', not '${path}'`)
  const limits = { ...defaultSocketLimits, ...pickLimits(options) }
  checkSocketLimits(limits)
  checkCount('maxInFlight', maxInFlight)
  checkCount('maxMalformedFrames', maxMalformedFrames)
  checkCount('maxMessageBytes', maxMessageBytes)
  if (maxMessageBytes > limits.maxPayloadBytes) {
    throw new BootError(
      'bad_option',
      `websocket.maxMessageBytes (${maxMessageBytes}) must not be over maxPayloadBytes (${limits.maxPayloadBytes})`,
    )
  }
  if (ordered !== 'connection' && ordered !== 'none') {
    throw new BootError('bad_option', `websocket.ordered must be 'connection' or 'none', not '${ordered}'`)
  }
  return {
    ...limits,
    path,
    origins: resolveOrigins(options.origins, isDevelopment),
    maxInFlight,
    maxMessageBytes,
    maxMalformedFrames,
    ordered: ordered === 'connection',
  }
}

function pickLimits(options: WebSocketOptions): Partial<SocketLimits> {
  const given = Object.entries(options).filter(([key, value]) => key in defaultSocketLimits && value !== undefined)
  // Keys and value types are those of SocketLimits, by the filter above and the type of `options`.
  return Object.fromEntries(given) as Partial<SocketLimits>
}

function resolveOrigins(
  origins: readonly string[] | undefined,
  isDevelopment: boolean,
): ResolvedWebSocketOptions['origins'] {
  if (origins === undefined) return isDevelopment ? null : 'same-host'
  if (origins.includes('*')) return null
  for (const origin of origins) {
    if (!isOrigin(origin)) {
      throw new BootError(
        'bad_option',
        `websocket.origins: '${origin}' is not an origin; write it as 'https://app.example'`,
      )
    }
  }
  return origins
}

function checkCount(name: string, value: number): void {
  if (!Number.isInteger(value) || value < 1)
    throw new BootError('bad_option', `websocket.${name} must be an integer from 1, not ${value}`)
}
