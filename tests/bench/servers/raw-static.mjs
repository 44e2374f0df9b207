// A small file as one would send it by hand from memory on uWebSockets.js.
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { staticFile } from './file.mjs'

const uWS = loadSameUws()

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .get('/assets/file.bin', (res) => {
          res.writeHeader('content-type', 'application/octet-stream')
          res.end(staticFile)
        })
        .any('/*', (res) => res.writeStatus('404 Not Found').end())
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
)
