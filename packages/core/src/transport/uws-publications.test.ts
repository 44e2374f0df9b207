import { stat } from 'node:fs'
import { expect, it, vi } from 'vitest'
import type { Socket, SocketListener } from './transport.ts'
import { Unsent } from './unsent.ts'
import { type OpenSocket, UwsSocket } from './uws-connection.ts'
import { deferred, join, record, serve } from './uws-fixture.ts'
import { UwsPublications } from './uws-publications.ts'
import type { UwsApp } from './uws-types.ts'

/** A socket of a client that does not read: everything that uWS gives to it is counted as buffered. */
async function serveSlowSocket(message: (socket: Socket) => void = () => {}) {
  let socket!: Socket
  const recorder = record({
    opened: (opened) => {
      socket = opened
    },
    message: () => message(socket),
  })
  const { transport, port } = await serve(
    { upgrade: (upgrade) => upgrade.accept(recorder) },
    { maxBackpressureBytes: 2 ** 30 },
  )
  const client = join(port)
  await client.opened
  client.ws.pause()
  // More than the system takes.
  while (socket.bufferedBytes() < 16 * 1024 * 1024) socket.send('x'.repeat(50_000), false)
  socket.subscribe('a')
  return { transport, client, socket }
}

const nothing = (): void => {}

it('gives frames to the sockets before immediates run, in whatever phase of the event loop they were published', async () => {
  let onMessage: () => void = nothing
  const { transport, client, socket } = await serveSlowSocket(() => onMessage())
  const phases: ((run: () => void) => void)[] = [
    (run) => void setTimeout(run, 1),
    (run) => void setImmediate(run),
    (run) => void stat('/', run),
    (run) => void Promise.resolve().then(run),
    (run) => void process.nextTick(run),
    (run) => {
      onMessage = run
      client.ws.send('go')
    },
  ]
  const publishIn = (phase: (run: () => void) => void): Promise<number> => {
    const grown = deferred<number>()
    phase(() => {
      const before = socket.bufferedBytes()
      transport.publish('a', new Uint8Array(1000), true)
      setImmediate(() => grown.resolve(socket.bufferedBytes() - before))
    })
    return grown.promise
  }
  for (const phase of phases) {
    // 1000 bytes with a header of 4 are in the queue of the socket. As long as they are pending, 1010 are assumed.
    // The system may take some of the queue at the same time.
    let grown = await publishIn(phase)
    for (let tries = 0; grown !== 1004 && tries < 200; tries++) grown = await publishIn(phase)
    expect(grown).toBe(1004)
  }
})

it('counts what the protocol sends: a pong has the bytes of its ping', async () => {
  const { transport, client } = await serveSlowSocket()
  const before = transport.acceptedBytes
  client.ws.ping('x'.repeat(125))
  await vi.waitFor(() => expect(transport.acceptedBytes - before).toBeGreaterThanOrEqual(127), 15_000)
})

/** A native app and socket of which the system takes nothing, and which give a publication to the socket with the next frame, as uWS does. */
function createSlowNative() {
  let pending = 0
  let buffered = 0
  const app: Pick<UwsApp, 'publish'> = {
    publish: (_topic, { byteLength }) => {
      pending += byteLength
      return true
    },
  }
  const send = (length: number): 0 => {
    buffered += pending + length
    pending = 0
    return 0
  }
  const listener: SocketListener = { opened: nothing, message: nothing, closed: nothing }
  const ended: [number, string][] = []
  const publications = new UwsPublications()
  const unsent = new Unsent()
  const socket = new UwsSocket(listener, nothing, unsent, publications)
  const ws: OpenSocket = {
    listener,
    socket,
    send: ({ length }) => send(length),
    ping: () => send(2),
    subscribe: () => true,
    unsubscribe: () => true,
    getBufferedAmount: () => buffered,
    cork: (write) => write(),
    end: (code, reason) => void ended.push([code, reason]),
    close: nothing,
    getUserData: nothing,
  }
  const taken = (): void => {
    buffered = 0
    socket.drained()
  }
  return { app, publications, unsent, socket, ws, ended, taken }
}

it('ends a socket after a publication that the system does not take at once', async () => {
  const { app, publications, socket, ws, ended, taken } = createSlowNative()
  publications.app = app
  socket.open(ws)
  socket.subscribe('a')
  publications.publish('a', new Uint8Array(1000), false)
  socket.end(4000, 'bye')
  expect(ended).toEqual([])
  expect(socket.bufferedBytes()).toBeGreaterThan(1000)
  await new Promise((resolve) => setImmediate(resolve))
  taken()
  expect(ended).toEqual([[4000, 'bye']])
})

it('assumes no more for a socket than uWS collects', async () => {
  const { app, publications } = createSlowNative()
  publications.app = app
  const pending: number[] = []
  for (const size of [1000, 10, 1000, 16_384]) {
    publications.publish('a', new Uint8Array(size), false)
    pending.push(publications.pendingBytes)
  }
  expect(pending).toEqual([1010, 1030, 2040, 2040])
  for (let i = 0; i < 100; i++) publications.publish('a', new Uint8Array(100), false)
  expect(publications.pendingBytes).toBe(2040 + 100 * 110)
  for (let i = 0; i < 1000; i++) publications.publish('a', new Uint8Array(100), false)
  expect(publications.pendingBytes).toBe(32 * 1010)
  await new Promise((resolve) => setImmediate(resolve))
  expect(publications.pendingBytes).toBe(0)
})

it('does not send a ping to a socket without topics', () => {
  const { app, publications, socket, ws, ended } = createSlowNative()
  publications.app = app
  socket.open(ws)
  publications.publish('a', new Uint8Array(1000), false)
  socket.end(4000, 'bye')
  expect(ended).toEqual([[4000, 'bye']])
})
