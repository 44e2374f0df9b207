// hyper-express: answers each package as the hand-written server does, and publishes news.
import { serve } from '../lib/serve.mjs'
import { answer } from '../servers/by-hand.mjs'
import { joinId, newsFrame, toAnswers, toNews, topic } from '../servers/news.mjs'
import { listen, loadHyperExpress } from './uws.mjs'

const HyperExpress = await loadHyperExpress()
const server = new HyperExpress.Server()

server.ws('/ws', { max_payload_length: 256 * 1024, idle_timeout: 120, message_type: 'String' }, (ws) => {
  ws.on('message', (message) => ws.send(answer(message)))
})
server.ws('/news', { max_backpressure: 1_048_576, idle_timeout: 120, message_type: 'String' }, (ws) => {
  ws.on('message', (message) => {
    const { pkg_id, req_id } = JSON.parse(message)
    if (pkg_id !== joinId) return ws.close(1008)
    ws.subscribe(topic)
    ws.send(JSON.stringify({ pkg_id, req_id, status_code: 0, meta: null, data: null }))
  })
})

await serve(() => listen(server), {
  answers: toAnswers((id) => server.publish(topic, JSON.stringify(newsFrame(toNews(id))))),
})
