// Native publish, as one would use it by hand: uWebSockets.js drops what a slow connection does not take, without a word.
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { joinId, newsFrame, toAnswers, toNews, topic } from './news.mjs'

const decoder = new TextDecoder()
const uWS = loadSameUws()
const app = uWS.App().ws('/ws', {
  compression: uWS.DISABLED,
  maxPayloadLength: 256 * 1024,
  maxBackpressure: 1_048_576,
  idleTimeout: 60,
  message(ws, message) {
    const { pkg_id, req_id } = JSON.parse(decoder.decode(message))
    if (pkg_id !== joinId) return ws.end(1008)
    ws.subscribe(topic)
    ws.send(JSON.stringify({ pkg_id, req_id, status_code: 0, meta: null, data: null }))
  },
})

await serve(
  () =>
    new Promise((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve(uWS.us_socket_local_port(socket))
        else reject(new Error('Cannot listen'))
      })
    }),
  { answers: toAnswers((id) => app.publish(topic, JSON.stringify(newsFrame(toNews(id))))) },
)
