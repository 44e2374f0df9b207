import { route, type WebSocketOptions } from '@twinwire/core'
import { definePlugin, pluginKey } from '@twinwire/core/plugin'
import { createTestApp } from '@twinwire/core/testing'
import * as v from 'valibot'
import { onTestFinished } from 'vitest'
import { dialTcp, type TcpPeer } from './tcp-peer.ts'

export interface WireAppOptions {
  readonly deadlineMs?: number
  readonly websocket?: WebSocketOptions
}

export interface WireApp {
  readonly port: number
  dial(): Promise<TcpPeer>
  /** A TCP connection whose upgrade has been accepted. */
  dialWebSocket(): Promise<TcpPeer>
  /** What ran and how calls and connections ended, in order: `ran`, `200`, `499 left`, `closed 1006`. */
  readonly seen: readonly string[]
}

export const handshake = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** A request as text. A header whose value is a list is sent in several lines. */
export function http(
  line: string,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  body = '',
): string {
  const all = Object.entries({ host: '127.0.0.1', ...headers })
  const lines = all.flatMap(([name, value]) => [value].flat().map((each) => `${name}: ${each}\r\n`))
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

/** One frame of a client, with a mask of zeros. Its payload has less than 64 KiB. */
export function frame(
  opcode: number,
  payload: string | Uint8Array,
  { fin = true, masked = true, reserved = 0 } = {},
): Uint8Array {
  const bytes = Buffer.from(payload)
  const { length } = bytes
  const mask = masked ? 0x80 : 0
  const size = length < 126 ? [mask | length] : [mask | 126, length >> 8, length & 0xff]
  return Buffer.concat([
    Buffer.from([(fin ? 0x80 : 0) | reserved | opcode, ...size]),
    masked ? Buffer.alloc(4) : Buffer.alloc(0),
    bytes,
  ])
}

/** An app on a real port, with a route that answers at once (`POST /now`) and one that does not (`POST /later`). */
export async function startWireApp(options: WireAppOptions = {}): Promise<WireApp> {
  const seen: string[] = []
  const input = v.object({ id: v.number() })
  const now = route({
    http: 'POST /now',
    access: 'public',
    input,
    handler: (given) => {
      seen.push('ran')
      return given
    },
  })
  const later = route({
    http: 'POST /later',
    access: 'public',
    input,
    handler: async (given) => {
      seen.push('ran')
      await new Promise((resolve) => setTimeout(resolve, 50))
      return given
    },
  })
  const watch = definePlugin(pluginKey('watch').of<void>(), {
    setup(host) {
      host.onReply((_call, { httpStatus, aborted }) => void seen.push(aborted ? `${httpStatus} left` : `${httpStatus}`))
      host.onUpgradeRejected((_arrival, { code }) => void seen.push(`refused ${code}`))
      host.onDisconnect((_connection, { code }) => void seen.push(`closed ${code}`))
    },
  })
  const { address, close } = await createTestApp(
    { pkgIds: { NOW: 1, LATER: 2 }, routes: { NOW: now, LATER: later }, plugins: [watch], ...options },
    { transport: 'uws', leftovers: 'allow' },
  )
  onTestFinished(() => close())
  const dial = (): Promise<TcpPeer> => dialTcp(address.port)
  return {
    port: address.port,
    seen,
    dial,
    async dialWebSocket() {
      const peer = await dial()
      peer.write(http('GET /ws', handshake))
      await peer.until(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/)
      return peer
    },
  }
}
