// A WebSocket server by hand. With TWINWIRE_BENCH_HANDLER=async its handler awaits once.
import process from 'node:process'
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { answer, answerLater } from './by-hand.mjs'

const decoder = new TextDecoder()
const uWS = loadSameUws()
const closed = new WeakSet()

const handlers = {
  message: (ws, message) => ws.send(answer(decoder.decode(message))),
}

const asyncHandlers = {
  async message(ws, message) {
    const reply = await answerLater(decoder.decode(message))
    if (!closed.has(ws)) ws.cork(() => ws.send(reply))
  },
  close: (ws) => closed.add(ws),
}

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .ws('/ws', {
          compression: uWS.DISABLED,
          maxPayloadLength: 256 * 1024,
          idleTimeout: 60,
          ...(process.env.TWINWIRE_BENCH_HANDLER === 'async' ? asyncHandlers : handlers),
        })
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
)
