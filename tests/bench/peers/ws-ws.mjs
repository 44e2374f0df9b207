// The package ws, which answers each package as the hand-written server does.
import { once } from 'node:events'
import { WebSocketServer } from 'ws'
import { memoryAnswers } from '../lib/memory-answers.mjs'
import { serve } from '../lib/serve.mjs'
import { answer } from '../servers/by-hand.mjs'

await serve(
  async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws', maxPayload: 256 * 1024 })
    server.on('connection', (socket) => {
      socket.on('message', (message) => socket.send(answer(message.toString())))
    })
    await once(server, 'listening')
    return server.address().port
  },
  { answers: memoryAnswers },
)
