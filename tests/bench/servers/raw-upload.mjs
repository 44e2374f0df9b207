// Uploads to a file as one would write them by hand: pauses while a piece is written.
import { closeSync, openSync, rmSync, write } from 'node:fs'
import process from 'node:process'
import { serve } from '../lib/serve.mjs'
import { loadSameUws } from '../lib/uws.mjs'

const path = process.env.TWINWIRE_BENCH_FILE
const uWS = loadSameUws()

function upload(res) {
  const file = openSync(path, 'w')
  let aborted = false
  let writing = 0
  let ended = false
  let bytes = 0
  const finish = () => {
    closeSync(file)
    rmSync(path, { force: true })
    if (!aborted) res.cork(() => res.end(JSON.stringify({ bytes })))
  }
  res.onAborted(() => {
    aborted = true
  })
  res.onData((chunk, isLast) => {
    ended = isLast
    bytes += chunk.byteLength
    writing++
    if (!isLast) res.pause()
    // The chunk is memory of uWS, which reuses it after this call.
    write(file, Buffer.from(Buffer.from(chunk)), () => {
      writing--
      if (writing > 0) return
      if (ended) finish()
      else if (!aborted) res.resume()
    })
  })
}

await serve(
  () =>
    new Promise((resolve, reject) => {
      uWS
        .App()
        .put('/file', upload)
        .listen('127.0.0.1', 0, (socket) => {
          if (socket) resolve(uWS.us_socket_local_port(socket))
          else reject(new Error('Cannot listen'))
        })
    }),
)
