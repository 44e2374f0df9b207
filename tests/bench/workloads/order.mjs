import { workload as once } from './once.mjs'

const [{ file }] = once.servers
const order = { TWINWIRE_BENCH_EFFECT: 'order' }

/** A route of four statements, which stores an order of three products: without once() and outbox, with each, and with both. */
export const workload = {
  ...once,
  name: 'order',
  servers: [
    { name: 'transaction', file, env: order },
    { name: 'once', file, env: { ...order, TWINWIRE_BENCH_STEPS: 'once' } },
    { name: 'outbox', file, env: { ...order, TWINWIRE_BENCH_STEPS: 'outbox' } },
    { name: 'both', file, env: { ...order, TWINWIRE_BENCH_STEPS: 'both' } },
  ],
  profiled: 'both',
}
