import type { Broker } from '../hub/broker.ts'

let create: (() => Broker) | null = null

/** For a run of the tests with another broker: that of test apps which name neither a broker nor a clock. Null: the default of `createApp`. */
export function setTestBroker(factory: (() => Broker) | null): void {
  create = factory
}

/** Null: the default of `createApp`. */
export function createTestBroker(): Broker | null {
  return create?.() ?? null
}
