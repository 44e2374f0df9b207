import { protobuf } from '@twinwire/client/protobuf'
import { workload as ws } from './ws.mjs'

const codec = protobuf()
const file = new URL('../servers/twinwire-ws-protobuf.mjs', import.meta.url)

/** A package of the JSON workload, as protobuf. What is not JSON is not protobuf either. */
function toBytes(text) {
  if (text === '{') return Uint8Array.of(0xff)
  const { pkg_id, req_id, data } = JSON.parse(text)
  return codec.encode(pkg_id, req_id, data)
}

const dialect = {
  path: `/ws?format=${codec.format}`,
  parse: (bytes) => codec.decode(bytes, () => true),
  toPackage: (connection, slot) => {
    const { text, reply } = ws.toPackage(connection, slot)
    return { text: toBytes(text), reply }
  },
  probes: ws.probes.map(({ text, matches }) => ({ text: toBytes(text), matches })),
}

/** The same packages to one app, in JSON and in protobuf. */
export const workload = {
  ...ws,
  name: 'ws-protobuf',
  servers: [
    { name: 'json', file },
    { name: 'protobuf', file, dialect },
  ],
  profiled: 'protobuf',
  peers: [],
}
