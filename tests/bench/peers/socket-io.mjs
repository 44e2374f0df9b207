// Socket.IO on WebSocket alone: an event with an acknowledgement, which is its form of a request and a reply. Its packages have neither an
// id to check nor a status, so it has less to do.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { Server } from 'socket.io'
import * as v from 'valibot'
import { serve } from '../lib/serve.mjs'
import { getAuthor, Input } from '../servers/contract.mjs'

await serve(async () => {
  const http = createServer()
  // No ping within a run: the load generator only counts replies.
  const io = new Server(http, { transports: ['websocket'], maxHttpBufferSize: 256 * 1024, pingInterval: 600_000 })
  io.on('connection', (socket) => {
    socket.on('get_author', (data, reply) => {
      const input = v.safeParse(Input, data)
      if (input.success) reply({ data: getAuthor(input.output) })
      else reply({ error: { code: 'validation_error', details: v.flatten(input.issues) } })
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return http.address().port
})
