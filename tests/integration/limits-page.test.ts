// The block of docs_site/limits.md: an app with limits of its own.
import { once } from 'node:events'
import type { App } from '@twinwire/core'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('limits')

describe('the block of the page about limits', () => {
  testBlocks(page)

  it('app.ts refuses what is larger, and says what its limits are', async () => {
    const { app }: { app: App } = await import(`${page.folder}/app.ts`)
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const pay = async (bytes: number) => {
      const body = JSON.stringify({ text: 'x'.repeat(bytes - '{"text":""}'.length) })
      const headers = { 'content-type': 'application/json' }
      return (await fetch(`${url}/payments`, { method: 'POST', headers, body })).status
    }
    const kib = 1024
    expect([await pay(256 * kib), await pay(256 * kib + 1)]).toEqual([200, 413])

    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    const send = async (bytes: number): Promise<unknown> => {
      const call = { pkg_id: 1, req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55', data: { text: '' } }
      const data = { text: 'x'.repeat(bytes - JSON.stringify(call).length) }
      const replied = once(socket, 'message')
      socket.send(JSON.stringify({ ...call, data }))
      const [reply] = await replied
      return JSON.parse(String(reply))
    }
    expect(await send(64 * kib)).toMatchObject({ status_code: 0, data: null })
    expect(await send(64 * kib + 1)).toMatchObject({ data: { code: 'payload_too_large' } })
    socket.close()
    const described = app.describe().routes.map(({ name, ordered, deadlineMs }) => ({ name, ordered, deadlineMs }))
    expect(described).toEqual(
      expect.arrayContaining([
        { name: 'PAY', ordered: true, deadlineMs: 5000 },
        { name: 'GET /health', ordered: false, deadlineMs: 10_000 },
      ]),
    )
  })
})
