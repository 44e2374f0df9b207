// The blocks of docs_site/wire-protocol.md: a client that follows a topic over several connections, and an app for clients of both formats.
import { once } from 'node:events'
import { type App, event } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import * as v from 'valibot'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { readResponse, writeMessage } from '../support/protobuf-oracle.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('wire-protocol')
const { folder } = page

interface Follow {
  createFollower(
    topic: string,
    application: { loadState(): void; apply(data: unknown): void },
  ): (socket: WebSocket) => void
}

const said = event({ data: v.object({ n: v.number() }) })

describe('the blocks of the page about the protocol', () => {
  testBlocks(page)

  const start = async (history: { size: number } | false) => {
    const { createFollower }: Follow = await import(`${folder}/follow.ts`)
    const { app, address, close } = await createTestApp(
      {
        pkgIds: { SAID: 100 },
        routes: {},
        events: { SAID: said },
        topics: { chat: { subscribe: true, history: history && { ...history, ttl: '1m' }, authorize: () => true } },
      },
      { transport: 'uws' },
    )
    onTestFinished(() => close())
    /** What the application did, in order. */
    const done: unknown[] = []
    const follow = createFollower('chat', { loadState: () => done.push('load'), apply: (data) => done.push(data) })
    const open = (): WebSocket => {
      const socket = new WebSocket(`${address.url.replace('http', 'ws')}/ws`)
      follow(socket)
      return socket
    }
    const cut = async (socket: WebSocket): Promise<void> => {
      socket.terminate()
      await once(socket, 'close')
      await expect.poll(() => app.hub.size).toBe(0)
    }
    const say = async (...numbers: readonly number[]): Promise<void> => {
      for (const n of numbers) await app.hub.publish('chat', said, { n })
    }
    const reach = (all: readonly unknown[]) => expect.poll(() => done).toEqual(all)
    return { open, cut, say, reach }
  }

  it('follow.ts loads the state once, and then gets what it has missed', async () => {
    const { open, cut, say, reach } = await start({ size: 3 })
    await say(0)
    const first = open()
    await reach(['load'])
    await say(1)
    await reach(['load', { n: 1 }])
    await cut(first)
    await say(2, 3)
    const second = open()
    const applied = ['load', { n: 1 }, { n: 2 }, { n: 3 }]
    await reach(applied)
    await say(4)
    await reach([...applied, { n: 4 }])
    await cut(second)
    // More than the history has.
    await say(5, 6, 7, 8)
    open()
    await reach([...applied, { n: 4 }, 'load'])
    await say(9)
    await reach([...applied, { n: 4 }, 'load', { n: 9 }])
  })

  it('follow.ts loads the state on each connection, of a topic without history', async () => {
    const { open, cut, say, reach } = await start(false)
    const first = open()
    await reach(['load'])
    await say(1)
    await reach(['load', { n: 1 }])
    await cut(first)
    await say(2)
    open()
    await reach(['load', { n: 1 }, 'load'])
  })

  it('app.ts answers in the requested format', async () => {
    const { app }: { app: App } = await import(`${folder}/app.ts`)
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const exchange = async (query: string, frame: string | Uint8Array) => {
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`)
      await once(socket, 'open')
      socket.send(frame)
      const [bytes, isBinary] = await once(socket, 'message')
      socket.close()
      return { bytes, isBinary }
    }
    const call = { pkg_id: 7, req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55' }
    const binary = await exchange('?format=protobuf', writeMessage('Request', { ...call, data_json: 'null' }))
    expect(binary.isBinary).toBe(true)
    expect(readResponse(binary.bytes)).toMatchObject({ ...call, status_code: 1 })
    for (const query of ['', '?format=json']) {
      const text = await exchange(query, JSON.stringify({ ...call, data: null }))
      expect(text.isBinary).toBe(false)
      expect(JSON.parse(String(text.bytes))).toMatchObject({ ...call, status_code: 1, data: { code: 'not_found' } })
    }
    const control = await exchange('?format=protobuf', JSON.stringify({ type: 'subscribe', id: 1, topic: 'chat' }))
    expect([control.isBinary, JSON.parse(String(control.bytes))]).toMatchObject([false, { type: 'error', id: 1 }])
  })
})
