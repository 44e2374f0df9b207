import { workload as fanOut } from './fan-out.mjs'

/**
 * The same publications, on Twinwire with the memory broker and with redisBroker(): of the CPU of the node, without that of Redis. With 200 connections
 * mostly that of deliveries, with `--connections 1` that of a publication and one delivery.
 */
export const workload = {
  ...fanOut,
  peers: [],
  name: 'fan-out-broker',
  servers: [
    { name: 'memory', file: new URL('../servers/twinwire-fan-out.mjs', import.meta.url) },
    { name: 'redis', file: new URL('../servers/twinwire-fan-out-broker.mjs', import.meta.url) },
  ],
  profiled: 'redis',
}
