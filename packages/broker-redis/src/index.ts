export type { RedisBrokerOptions } from './broker-options.ts'
export { redisBroker } from './redis-broker.ts'
