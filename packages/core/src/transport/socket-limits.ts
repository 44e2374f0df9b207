import { option } from '../base/option.ts'
import type { OptionRule, OptionTable } from '../base/option-rule.ts'
import { checkOption, checkOptions } from '../base/options.ts'
import type { ListenOptions, SocketLimits } from './transport.ts'

type Rules<T> = { readonly [Name in keyof T]: OptionRule<T[Name]> }

/** Where an app listens, with the defaults of `app.listen()`. */
export const addressRules: Rules<Pick<ListenOptions, 'host' | 'port'>> = {
  host: option.string({
    expects: 'a host name or an IP address (0.0.0.0 is every IPv4 address)',
    test: (host) => /^[\w.:%-]+$/.test(host),
    default: '127.0.0.1',
  }),
  port: option.integer({ max: 65_535, default: 8000 }),
}

/** The native layer casts numbers to int32 without a warning. */
const maxInt32 = 2 ** 31 - 1
const bytes = option.bytes({ min: 1024, max: maxInt32, default: 1_048_576 })

/**
 * The native layer would end the process for a time outside of these bounds, and has no limit at all for a back pressure of 0:
 * uws-rules.md#socket-options.
 */
export const socketLimitRules: Rules<SocketLimits> = {
  maxPayloadBytes: bytes,
  maxBackpressureBytes: bytes,
  idleTimeoutSeconds: option.anyOf([option.choice([0]), option.integer({ min: 8, max: 960 })], { default: 60 }),
  sendPings: option.flag({ default: true }),
  // Load balancers commonly close what is idle for 60 s.
  pingIntervalSeconds: option.integer({ min: 1, max: 960, default: 44 }),
  maxLifetimeMinutes: option.integer({ max: 239, default: 0 }),
}

export const defaultSocketLimits: SocketLimits = checkOptions('', {}, socketLimitRules)

/** uWebSockets.js pings this long after the last frame, and needs the rest for the answer: uws-rules.md#socket-options. */
function nativePingSeconds(idleTimeoutSeconds: number): number {
  let marginSeconds = 4
  while (marginSeconds < 16 && idleTimeoutSeconds - marginSeconds * 2 >= marginSeconds * 2) marginSeconds *= 2
  return Math.ceil((idleTimeoutSeconds - marginSeconds) / 4) * 4
}

/** The seconds of silence after which a client is pinged; null: never. `isNative`: uWebSockets.js does it by itself. */
export function pingAfterSeconds({
  idleTimeoutSeconds,
  sendPings,
  pingIntervalSeconds,
}: SocketLimits): { readonly seconds: number; readonly isNative: boolean } | null {
  if (!sendPings) return null
  const native = idleTimeoutSeconds === 0 ? Number.POSITIVE_INFINITY : nativePingSeconds(idleTimeoutSeconds)
  return native <= pingIntervalSeconds
    ? { seconds: native, isNative: true }
    : { seconds: pingIntervalSeconds, isNative: false }
}

/** @throws BootError `bad_option` */
export function checkListenOptions({ host, port, websocketPath, limits }: ListenOptions): void {
  checkOption('app.listen()', 'host', host, addressRules.host)
  checkOption('app.listen()', 'port', port, addressRules.port)
  checkOption('createApp()', 'websocket.path', websocketPath, option.path())
  const rules: OptionTable = socketLimitRules
  for (const [name, rule] of Object.entries(rules))
    checkOption('createApp()', `websocket.${name}`, Reflect.get(limits, name), rule)
}
