import { FrameInbox } from './inbox.ts'
import type { MemoryClientSocket } from './memory-transport/memory-peer.ts'
import type { MemoryTransport } from './memory-transport/memory-transport.ts'
import type { RawClient, RawSocket } from './raw-client.ts'

/** Creates a raw client of a memory transport. `defaultPath`: the path of `connect` without one. */
export function memoryRawClient(transport: MemoryTransport, defaultPath: string = '/ws'): RawClient {
  const open = new Set<RawSocket>()
  return {
    async connect(options = {}) {
      const inbox = new FrameInbox()
      const socket = await transport.connect(
        { ...options, path: options.path ?? defaultPath },
        { frame: (data) => inbox.push(data), closed: (code, reason) => inbox.end(code, reason) },
      )
      const raw = toRawSocket(socket, inbox)
      open.add(raw)
      void inbox.closed.then(() => open.delete(raw))
      return raw
    },
    request: (options) => transport.request(options),
    stream: (options) => transport.stream(options),
    async close() {
      for (const socket of open) socket.terminate()
      await Promise.all([...open].map((socket) => socket.closed))
    },
  }
}

function toRawSocket(socket: MemoryClientSocket, inbox: FrameInbox): RawSocket {
  return {
    protocol: socket.protocol,
    frames: inbox.frames,
    closed: inbox.closed,
    next: (timeoutMs) => inbox.next(timeoutMs),
    send: (data, binary) => socket.send(data, binary),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
  }
}
