import { workload as once } from './once.mjs'

const [{ file }] = once.servers
const outbox = { TWINWIRE_BENCH_STEPS: 'outbox' }

/** The same route without an outbox and with one: events of different streams, and of one stream. A run ends when all have been sent. */
export const workload = {
  ...once,
  name: 'outbox',
  servers: [
    { name: 'transaction', file },
    { name: 'outbox', file, env: outbox },
    { name: 'one stream', file, env: { ...outbox, TWINWIRE_BENCH_STREAMS: 'one' } },
  ],
  profiled: 'outbox',
}
