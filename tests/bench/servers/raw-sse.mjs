// Server-sent events as one would write them by hand: a set of responses, and one write in a cork for each. Nothing notices a slow client.
import { memoryAnswers } from '../lib/memory-answers.mjs'
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { toAnswers, toNews } from './news.mjs'

const uWS = loadSameUws()
const readers = new Set()
const app = uWS.App().get('/events', (res) => {
  readers.add(res)
  res.onAborted(() => readers.delete(res))
  res.cork(() => {
    res.writeHeader('content-type', 'text/event-stream')
    res.writeHeader('cache-control', 'no-store')
    res.write(': open\n\n')
  })
})

let offset = 0
const publish = (id) => {
  const text = Buffer.from(
    `id: 5cd17fd5-3c4e-425e-9d89-6085a923a607:${10_000 + offset++}\nevent: NEWS\ndata: ${JSON.stringify(toNews(id))}\n\n`,
  )
  for (const res of readers) res.cork(() => res.write(text))
}

await serve(
  () =>
    new Promise((resolve, reject) => {
      app.listen('127.0.0.1', 0, (socket) => {
        if (socket) resolve(uWS.us_socket_local_port(socket))
        else reject(new Error('Cannot listen'))
      })
    }),
  { answers: { ...toAnswers(publish), ...memoryAnswers } },
)
