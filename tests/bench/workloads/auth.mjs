import { measureTokens } from '../lib/tokens.mjs'
import { workload as ws } from './ws.mjs'

const file = new URL('../servers/auth-ws.mjs', import.meta.url)

/** What a sign-in costs: each package of a signed-in connection, and each HTTP token. */
export const workload = {
  ...ws,
  peers: [],
  name: 'auth',
  servers: [
    { name: 'public', file, env: { TWINWIRE_BENCH_ACCESS: 'public' } },
    { name: 'authorized', file },
  ],
  profiled: 'authorized',

  /** Beside it, in this process. */
  alone: measureTokens,
}
