import { redisBroker } from '@twinwire/broker-redis'

/** On the local Redis, under a prefix of this process. */
export const createBroker = () =>
  redisBroker({ url: process.env.BENCH_REDIS_URL ?? 'redis://127.0.0.1:6379', prefix: `bench:${process.pid}:` })
