import { socketIoDialect } from '../lib/socket-io-dialect.mjs'
import { pkgId } from '../servers/contract.mjs'

/** Packages over WebSocket: decode, look up, validate, handle, reply. */

/** A UUID that tells the connection and the slot. */
const toReqId = (connection, slot) =>
  `3f2a9c41-7be0-4d5c-8a16-${connection.toString(16).padStart(6, '0')}${slot.toString(16).padStart(6, '0')}`

const toText = (req_id, data) => JSON.stringify({ pkg_id: pkgId, req_id, method: '', data })

const probeId = toReqId(0xffff, 0)

export const workload = {
  name: 'ws',
  path: '/ws',
  /** The first one is what the others are compared with. */
  servers: [
    { name: 'raw', file: new URL('../servers/raw-ws.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-ws.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  /** With `--peers`. */
  peers: [
    { name: 'hyper-express', file: new URL('../peers/hyper-express-ws.mjs', import.meta.url) },
    { name: 'ws', file: new URL('../peers/ws-ws.mjs', import.meta.url) },
    { name: 'fastify', file: new URL('../peers/fastify-ws.mjs', import.meta.url) },
    { name: 'socket.io', file: new URL('../peers/socket-io.mjs', import.meta.url), dialect: socketIoDialect },
  ],

  toPackage(connection, slot) {
    const req_id = toReqId(connection, slot)
    const data = { name: 'Ursula K. Le Guin', page: 1 + ((connection + slot) % 9) }
    const reply = { pkg_id: pkgId, req_id, status_code: 0, meta: null, data: { id: data.page, name: data.name } }
    return { text: toText(req_id, data), reply }
  },

  /** What has to be refused, so that neither server leaves a check out. */
  probes: [
    {
      text: toText(probeId, { name: '', page: 1 }),
      matches: ({ req_id, data }) => req_id === probeId && data.code === 'validation_error',
    },
    {
      text: toText('not a uuid', { name: 'Ursula K. Le Guin', page: 1 }),
      matches: ({ req_id, data }) => req_id !== 'not a uuid' && data.code === 'malformed_request',
    },
    {
      text: JSON.stringify({ pkg_id: 77, req_id: probeId, data: {} }),
      matches: ({ req_id, data }) => req_id === probeId && data.code === 'not_found',
    },
    { text: '{', matches: ({ data }) => data.code === 'malformed_request' },
  ],
}
