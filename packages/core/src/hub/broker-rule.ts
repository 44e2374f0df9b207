import { option } from '../base/option.ts'
import type { OptionRule } from '../base/option-rule.ts'
import type { Broker } from './broker.ts'

export const brokerRule: OptionRule<Broker | undefined> = option.custom({
  expects: 'what a broker such as memoryBroker() returns',
  is: isBroker,
})

function isBroker(value: unknown): value is Broker {
  if (typeof value !== 'object' || value === null) return false
  return ['start', 'close', 'publish', 'subscribe'].every((name) => typeof Reflect.get(value, name) === 'function')
}
