// A download as one would write it by hand on uWebSockets.js: what the system does not take is written when it can.
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'
import { file, fileBytes } from './file.mjs'

function download(res) {
  let aborted = false
  res.onAborted(() => {
    aborted = true
  })
  res.writeHeader('content-type', 'application/octet-stream')
  const [, complete] = res.tryEnd(file, fileBytes)
  if (complete) return
  res.onWritable((offset) => {
    if (aborted) return true
    const [ok] = res.tryEnd(file.subarray(offset), fileBytes)
    return ok
  })
}

const uWS = loadSameUws()

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .get('/download', download)
        .any('/*', (res) => res.writeStatus('404 Not Found').end())
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
)
