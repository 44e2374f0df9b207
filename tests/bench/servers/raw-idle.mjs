// Connections that are open and do nothing. TWINWIRE_BENCH_STATE: `id` for an object, a number and a Map entry for each, as a server needs
// that wants to find them again; `uuid` with a UUID in place of the number.
import { randomUUID } from 'node:crypto'
import process from 'node:process'
import { memoryAnswers } from '../lib/memory-answers.mjs'
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'

const state = process.env.TWINWIRE_BENCH_STATE
const connections = new Map()
let opened = 0
const uWS = loadSameUws()

const settings = { compression: uWS.DISABLED, maxPayloadLength: 256 * 1024, idleTimeout: 60, message: () => {} }
const keeping = {
  ...settings,
  open(ws) {
    const connection = { id: state === 'uuid' ? randomUUID() : ++opened, ws }
    ws.getUserData().connection = connection
    connections.set(connection.id, connection)
  },
  close(ws) {
    connections.delete(ws.getUserData().connection.id)
  },
}

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .ws('/ws', state === undefined ? settings : keeping)
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
  { answers: memoryAnswers },
)
