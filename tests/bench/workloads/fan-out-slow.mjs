import { FanOutLoad } from '../lib/fan-out-load.mjs'
import { workload as fanOut } from './fan-out.mjs'

/** The same, while one connection in twenty does not read: measured on those that do. */
export const workload = {
  ...fanOut,
  name: 'fan-out-slow',
  createLoad: ({ perTurn }) => new FanOutLoad({ slowShare: 0.05, perTurn }),
}
