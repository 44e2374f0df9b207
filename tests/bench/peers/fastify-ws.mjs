// Fastify with @fastify/websocket, which answers each package as the hand-written server does.
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import { serve } from '../lib/serve.mjs'
import { answer } from '../servers/by-hand.mjs'

const app = Fastify()
await app.register(websocket, { options: { maxPayload: 256 * 1024 } })
app.get('/ws', { websocket: true }, (socket) => {
  socket.on('message', (message) => socket.send(answer(message.toString())))
})

await serve(async () => {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return app.server.address().port
})
