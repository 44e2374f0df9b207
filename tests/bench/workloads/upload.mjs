import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerProcess } from '../lib/server-process.mjs'

const mebibyte = 2 ** 20
const uploadBytes = 1024 * mebibyte
/** First, so that code is compiled and buffers of the runtime are there before the first reading. */
const warmUpBytes = 32 * mebibyte
/**
 * That of a fast client on a real network. A client that never waits fills the socket faster than uWS empties it, and uWS reads on as long as a
 * read fills its buffer, paused or not: both servers would hold all of it.
 */
const bytesPerSecond = 64 * mebibyte
const piece = Buffer.alloc(64 * 1024, 1)

/** An upload of 1 GiB to a file: the most memory that it adds to that of the idle server, and CPU. */
export const workload = {
  name: 'upload',
  servers: [
    { name: 'raw', file: new URL('../servers/raw-upload.mjs', import.meta.url) },
    { name: 'twinwire', file: new URL('../servers/twinwire-upload.mjs', import.meta.url) },
  ],
  profiled: 'twinwire',
  rounds: 3,

  figures: [
    { key: 'mebibytes', title: 'memory that an upload of 1 GiB adds', unit: 'MiB', digits: 1 },
    { key: 'microsPerMebibyte', title: 'server CPU per MiB', unit: 'us', digits: 0 },
  ],

  async measure(servers, _workload, { rounds }, core, onRound) {
    const results = []
    for (let round = 0; round < rounds; round++) {
      const samples = new Map()
      for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
        samples.set(server.name, await measureOne(server, core))
      }
      results.push(samples)
      onRound(round, samples)
    }
    return results
  },

  profile: (server, _options, core, folder) => measureOne(server, core, ['--cpu-prof', `--cpu-prof-dir=${folder}`]),
}

async function measureOne({ name, file, env }, core, nodeArgs = []) {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-upload-'))
  const server = await ServerProcess.start(file, {
    core,
    env: { ...env, TWINWIRE_BENCH_FILE: join(folder, 'file') },
    nodeArgs,
  })
  try {
    await upload(name, server, warmUpBytes)
    await sleep(500)
    const idle = await server.rss()
    const before = await server.cpuMicros()
    let most = idle
    await upload(name, server, uploadBytes, async () => {
      most = Math.max(most, await server.rss())
    })
    const micros = (await server.cpuMicros()) - before
    return {
      mebibytes: (most - idle) / mebibyte,
      microsPerMebibyte: micros / (uploadBytes / mebibyte),
    }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Sends at an even pace. `look` runs every 10 ms. */
async function upload(name, { port }, length, look = async () => {}) {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const answered = new Promise((resolve, reject) => {
    socket.once('data', (chunk) => resolve(chunk.toString('latin1')))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('The server has closed the connection')))
  })
  socket.write(`PUT /file HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: ${length}\r\n\r\n`)
  const started = performance.now()
  for (let sent = 0; sent < length; ) {
    const due = Math.min(length, ((performance.now() - started) / 1000) * bytesPerSecond)
    while (sent < due) {
      sent += piece.length
      if (!socket.write(piece)) await Promise.race([once(socket, 'drain'), answered])
      if (socket.destroyed) break
    }
    if (socket.destroyed) break
    await look()
    await sleep(10)
  }
  const answer = await answered
  socket.destroy()
  if (!answer.startsWith('HTTP/1.1 200') || !answer.includes(`{"bytes":${length}}`))
    throw new Error(`${name} answered ${answer}`)
}
