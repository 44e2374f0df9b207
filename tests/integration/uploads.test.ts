// Uploads in a real process: what they hold in memory, and what is left of clients that leave, stall or lie about their length.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { UploadState } from '../support/upload-app.ts'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 60_000 })

const file = fileURLToPath(new URL('../support/upload-app.ts', import.meta.url))
const mib = 2 ** 20

let child: ChildProcess
let port = 0
/** Rejects when the app ends too early. */
let ended: Promise<never>

/** The next message of the app. */
async function answer<T>(): Promise<T> {
  const [message] = await Promise.race([once(child, 'message'), ended])
  return message
}

function state(): Promise<UploadState> {
  const answered = answer<UploadState>()
  child.send('state')
  return answered
}

function head(id: string, fields: readonly string[], query = ''): string {
  return [`POST /files/${id}${query} HTTP/1.1`, 'host: test', `x-correlation-id: ${id}`, ...fields, '', ''].join('\r\n')
}

async function dial(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  // A reset is one way for the server to close.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Unlike that of `once`, this promise does not reject when the server has reset the connection. */
function closed(socket: Socket): Promise<unknown> {
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', resolve))
}

async function write(socket: Socket, bytes: Uint8Array | string): Promise<void> {
  if (socket.write(bytes) || socket.closed) return
  await new Promise((resolve) => socket.once('drain', resolve).once('close', resolve))
}

beforeAll(async () => {
  child = fork(file, { execArgv: ['--conditions=@twinwire/source', '--import', 'tsx'], stdio: 'inherit' })
  ended = once(child, 'exit').then(() => {
    throw new Error('The app has ended')
  })
  ended.catch(() => {})
  port = (await answer<{ port: number }>()).port
})
afterAll(async () => {
  const exited = once(child, 'exit')
  child.disconnect()
  await exited
})

describe.skipIf(process.platform !== 'linux')('uploads', () => {
  it('of 256 MiB to a file add a small part of that to the memory', async () => {
    /** Sends no more than 512 KiB ahead of what the handler has read, and returns the most memory that was seen. */
    async function upload(id: string, bytes: number): Promise<number> {
      const socket = await dial()
      const answered = once(socket, 'data')
      const { readBytes: before } = await state()
      await write(socket, head(id, [`content-length: ${bytes}`]))
      const piece = Buffer.alloc(256 * 1024, 7)
      let peak = 0
      for (let sent = 0; sent < bytes; sent += piece.byteLength) {
        await write(socket, piece)
        for (;;) {
          const { rssBytes, readBytes } = await state()
          peak = Math.max(peak, rssBytes)
          if (sent - (readBytes - before) < 2 * piece.byteLength) break
        }
      }
      expect(String((await answered)[0])).toContain(`{"bytes":${bytes}}`)
      socket.destroy()
      return peak
    }
    await upload('first', 16 * mib)
    const { rssBytes: idle } = await state()
    const peak = await upload('second', 256 * mib)
    expect((peak - idle) / mib).toBeLessThan(96)
  })

  it('of clients that leave, stall and lie end once each, and nothing is left open', async () => {
    const before = await state()
    const part = Buffer.alloc(10_000, 1)
    const chunk = `${part.byteLength.toString(16)}\r\n${part.toString('latin1')}\r\n`
    /** By what the client does; and how its call may end. */
    const kinds: readonly [string, (socket: Socket, id: string) => Promise<unknown>, readonly number[]][] = [
      ['leaves after the head', async (socket, id) => write(socket, head(id, ['content-length: 1000000'])), [499]],
      [
        'leaves within a declared body',
        async (socket, id) => {
          await write(socket, head(id, ['content-length: 1000000']))
          for (let sent = 0; sent < 20; sent++) await write(socket, part)
        },
        [499],
      ],
      [
        'leaves within a chunked body',
        async (socket, id) => {
          await write(socket, head(id, ['transfer-encoding: chunked']))
          for (let sent = 0; sent < 20; sent++) await write(socket, chunk)
        },
        [499],
      ],
      [
        'stalls',
        async (socket, id) => {
          await write(socket, head(id, ['content-length: 1000000']))
          await write(socket, part)
          await closed(socket)
        },
        [408],
      ],
      [
        'sends more than it declared',
        async (socket, id) => {
          await write(socket, head(id, ['content-length: 5000']))
          await write(socket, part)
          await closed(socket)
        },
        // uWS closes the connection for what it cannot read as a request; the call may have succeeded before.
        [200, 499],
      ],
      [
        'sends less than it declared, and ends',
        async (socket, id) => {
          await write(socket, head(id, ['content-length: 5000']))
          socket.end('short')
          await closed(socket)
        },
        [499],
      ],
      [
        'breaks the form of a chunked body',
        async (socket, id) => {
          await write(socket, head(id, ['transfer-encoding: chunked']))
          await write(socket, `${chunk}not a size\r\n`)
          await closed(socket)
        },
        [499],
      ],
      [
        'is answered before it has sent all, and goes on sending',
        async (socket, id) => {
          await write(socket, head(id, [`content-length: ${8 * mib}`], '?stop=1'))
          for (let sent = 0; sent < 800 && !socket.closed; sent++) await write(socket, part)
        },
        [200],
      ],
      [
        'sends all and leaves without its answer',
        async (socket, id) => {
          await write(socket, head(id, [`content-length: ${part.byteLength}`]))
          await write(socket, part)
        },
        [200, 499],
      ],
      [
        'sends all and takes its answer',
        async (socket, id) => {
          await write(socket, head(id, [`content-length: ${part.byteLength}`]))
          const answered = once(socket, 'data')
          await write(socket, part)
          await answered
        },
        [200],
      ],
    ]
    const clients = Array.from({ length: 200 }, async (_, index) => {
      const kind = kinds[index % kinds.length]
      if (kind === undefined) return
      const socket = await dial()
      socket.resume()
      await kind[1](socket, `client-${index}`)
      socket.destroy()
    })
    await Promise.all(clients)
    await expect
      .poll(async () => Object.keys((await state()).ends).filter((id) => id.startsWith('client-')).length, {
        timeout: 60_000,
      })
      .toBe(200)
    const { ends } = await state()
    for (let index = 0; index < 200; index++) {
      const [what = '', , allowed = []] = kinds[index % kinds.length] ?? []
      const statuses = ends[`client-${index}`] ?? []
      expect([what, statuses.length]).toEqual([what, 1])
      expect(allowed, `${what}: ${statuses[0]}`).toContain(statuses[0])
    }
    const left = async () => {
      const { openFiles, openSockets, timers } = await state()
      return { openFiles, openSockets, timers }
    }
    const { openSockets } = before
    await expect.poll(left, { timeout: 60_000 }).toEqual({ openFiles: 0, openSockets, timers: 0 })
  })
})
