import { FanOutLoad } from '../lib/fan-out-load.mjs'
import { joinId, newsFrame, toNews } from '../servers/news.mjs'

/**
 * Publications of 1 KiB to a topic that all connections have joined. A message is one delivery. How many publications there are in one turn
 * of the event loop (`--per-turn`) decides how many of them share a system call on each connection.
 */
export const workload = {
  name: 'fan-out',
  path: '/ws',
  servers: [
    { name: 'raw', file: new URL('../servers/raw-fan-out.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-fan-out.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  /** With `--peers`. */
  peers: [
    {
      name: 'hyper-express',
      file: new URL('../peers/hyper-express-ws.mjs', import.meta.url),
      dialect: { path: '/news' },
    },
  ],
  connections: 200,

  createLoad: ({ perTurn }) => new FanOutLoad({ slowShare: 0, perTurn }),

  protocol(connection) {
    const req_id = `3f2a9c41-7be0-4d5c-8a16-${connection.toString(16).padStart(12, '0')}`
    return {
      join: JSON.stringify({ pkg_id: joinId, req_id, method: '', data: {} }),
      joined: { pkg_id: joinId, req_id, status_code: 0, meta: null, data: null },
    }
  },

  firstFrame: newsFrame(toNews(0)),
}
