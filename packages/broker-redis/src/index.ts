/**
 * A broker on Redis: topics, presence and streams across processes.
 *
 * @packageDocumentation
 */
export type { RedisBrokerOptions } from './broker-options.ts'
export { redisBroker } from './redis-broker.ts'
