import { option } from '../base/option.ts'
import type { OptionRule, OptionRules } from '../base/option-rule.ts'
import { badOption, checkOptions } from '../base/options.ts'
import { originsRule } from '../edge/host.ts'
import {
  type CompressionMemory,
  type CompressionOptions,
  compressionRule,
  type SocketCompression,
  toCompression,
} from '../transport/compression.ts'
import { socketLimitRules } from '../transport/socket-limits.ts'
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
  /** Topics that one connection may have joined at a time; one more is refused with `conflict`. Default 128. */
  readonly maxTopics?: number
  /** `connection`: one call at a time, in order of arrival. Default `none`: concurrently, replies in any order. */
  readonly ordered?: 'connection' | 'none'
  /**
   * When the app closes, connections that have sent `subscribe` are told in a `closing` frame, before the close with 1012, to reconnect at a random time within
   * this window, so that clients do not all return at once. Milliseconds, 0 for at once. Default 20000.
   */
  readonly reconnectWindowMs?: number
  /**
   * Compresses large messages for clients that offer it (permessage-deflate): replies and events. `shared` takes no memory for a connection,
   * `dedicated` about 75 KiB. An event is compressed again for each receiver, which takes more CPU than sending it. Leave it off where one message
   * holds both a secret and text that an attacker chooses: its length reveals the secret (BREACH). Default false.
   */
  readonly compression?: false | CompressionMemory | CompressionOptions
}

export type ResolvedWebSocketOptions = SocketLimits & {
  readonly path: string
  /** Null: any. */
  readonly origins: readonly string[] | 'same-host' | null
  readonly maxInFlight: number
  readonly maxMessageBytes: number
  readonly maxMalformedFrames: number
  readonly maxTopics: number
  readonly ordered: boolean
  readonly reconnectWindowMs: number
  /** Null: off. */
  readonly compression: SocketCompression | null
}

export const reconnectWindowRule: OptionRule<number> = option.duration({ max: 3_600_000, default: 20_000 })
export const webSocketOriginsRule: OptionRule<readonly string[] | undefined> = originsRule('*')

export const maxTopicsRule: OptionRule<number> = option.integer({ min: 1, default: 128 })
export const maxInFlightRule: OptionRule<number> = option.integer({ min: 1, default: 64 })
export const maxMessageBytesRule: OptionRule<number> = option.bytes({ default: 256 * 1024 })
export const maxMalformedFramesRule: OptionRule<number> = option.integer({ min: 1, default: 10 })

const rules = {
  ...socketLimitRules,
  path: option.path({ default: '/ws' }),
  origins: webSocketOriginsRule,
  maxInFlight: maxInFlightRule,
  maxMessageBytes: maxMessageBytesRule,
  maxMalformedFrames: maxMalformedFramesRule,
  maxTopics: maxTopicsRule,
  ordered: option.choice(['connection', 'none'], { default: 'none' }),
  reconnectWindowMs: reconnectWindowRule,
  compression: compressionRule,
} satisfies OptionRules<WebSocketOptions>

export function resolveWebSocketOptions(options: WebSocketOptions, isDevelopment: boolean): ResolvedWebSocketOptions {
  const { origins, ordered, compression, ...others } = checkOptions('createApp()', options, rules, 'websocket')
  checkPingInterval(options, others)
  const { maxMessageBytes, maxPayloadBytes } = others
  if (maxMessageBytes > maxPayloadBytes) {
    const problem = `must not be more than maxPayloadBytes (${maxPayloadBytes})`
    throw badOption('createApp()', 'websocket.maxMessageBytes', problem, maxMessageBytes)
  }
  return {
    ...others,
    ordered: ordered === 'connection',
    origins: resolveOrigins(origins, isDevelopment),
    compression: toCompression(compression),
  }
}

/** One that was given and has no effect. */
function checkPingInterval(
  given: WebSocketOptions,
  { sendPings, idleTimeoutSeconds, pingIntervalSeconds }: SocketLimits,
): void {
  if (given.pingIntervalSeconds === undefined) return
  const refuse = (problem: string): never => {
    throw badOption('createApp()', 'websocket.pingIntervalSeconds', problem, pingIntervalSeconds)
  }
  if (!sendPings) refuse('has no effect without pings: remove it, or sendPings: false')
  if (idleTimeoutSeconds > 0 && pingIntervalSeconds >= idleTimeoutSeconds)
    refuse(`must be less than idleTimeoutSeconds (${idleTimeoutSeconds}), before which every silent client is pinged`)
}

function resolveOrigins(
  origins: readonly string[] | undefined,
  isDevelopment: boolean,
): ResolvedWebSocketOptions['origins'] {
  if (origins === undefined) return isDevelopment ? null : 'same-host'
  return origins.includes('*') ? null : origins
}
