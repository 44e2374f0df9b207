import { option } from '../base/option.ts'
import type { OptionRule, OptionTable } from '../base/option-rule.ts'
import { checkOption, checkOptions } from '../base/options.ts'
import type { SocketLimits } from './transport.ts'

/** uWS casts larger numbers to int32 without an error. */
const maxInt32 = 2 ** 31 - 1
const mebibyte = 1_048_576

/**
 * Bounds and defaults of the limits. The native layer would end the process for a time outside of these bounds, and has no limit at
 * all for a back pressure of 0: uws-rules.md#socket-options.
 */
export const socketLimitRules: { readonly [Key in keyof SocketLimits]: OptionRule<SocketLimits[Key]> } = {
  maxPayloadBytes: option.integer({ min: 1024, max: maxInt32, default: mebibyte }),
  maxBackpressureBytes: option.integer({ min: 1024, max: maxInt32, default: mebibyte }),
  idleTimeoutSeconds: zeroOr(8, 960, 120),
  sendPings: option.flag({ default: true }),
  maxLifetimeMinutes: zeroOr(1, 239, 0),
}

export const defaultSocketLimits: SocketLimits = checkOptions('createApp()', {}, socketLimitRules, 'websocket')

/** @throws BootError `bad_option` */
export function checkSocketLimits(limits: SocketLimits): void {
  const rules: OptionTable = socketLimitRules
  for (const [key, rule] of Object.entries(rules))
    checkOption('createApp()', `websocket.${key}`, Reflect.get(limits, key), rule)
}

function zeroOr(min: number, max: number, value: number): OptionRule<number> {
  return option.custom({
    expects: `0 or an integer from ${min} to ${max}`,
    is: (given): given is number =>
      given === 0 || (typeof given === 'number' && Number.isInteger(given) && given >= min && given <= max),
    default: value,
  })
}
