// The programs of docs_site/quick-start.md run, and what the page shows is what they answer.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('quick-start-page')
const markdown = await readFile(fileURLToPath(new URL('../../docs_site/quick-start.md', import.meta.url)), 'utf8')
/** JSON that the page shows, in order, but for its settings of TypeScript. */
const shown = [...markdown.matchAll(/```json\n([\s\S]*?)```/g)]
  .slice(1)
  .map(([, text = '']): unknown => JSON.parse(text))

describe('the programs of the quick start', () => {
  testBlocks(page)

  /** Returns the first line that it prints. */
  const start = async (
    file: string,
  ): Promise<{ readonly line: string; readonly child: ChildProcess; readonly text: () => string }> => {
    const args = ['--conditions=@twinwire/source', '--import', 'tsx', file]
    const child = spawn(process.execPath, args, { cwd: page.folder, env: { ...process.env, PORT: '0' } })
    onTestFinished(() => void child.kill('SIGKILL'))
    let text = ''
    child.stdout.on('data', (chunk) => (text += String(chunk)))
    child.stderr.on('data', (chunk) => (text += String(chunk)))
    const line = (): string => /^http.*$/m.exec(text)?.[0] ?? ''
    await vi.waitFor(() => expect(line(), text).not.toBe(''), { timeout: 60_000, interval: 50 })
    return { line: line(), child, text: () => text }
  }
  const end = async (child: ChildProcess): Promise<void> => {
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  }
  const post = (url: string, text: string, token?: string) =>
    fetch(`${url}/notes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ text }),
    })

  it('answers on both wires what the page shows', async () => {
    const { line: url, child } = await start('main.ts')
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    await once(socket, 'open')
    const seen: { readonly pkg_id: number; readonly data: { readonly text?: string } }[] = []
    socket.on('message', (bytes) => seen.push(JSON.parse(String(bytes))))
    const [created, announced, reply, refused] = shown
    const milk = await post(url, 'milk')
    expect([milk.status, await milk.json()]).toEqual([201, created])
    socket.send(/-x '(\{.*\})'/.exec(markdown)?.[1] ?? '')
    await vi.waitFor(() => expect(seen).toHaveLength(3), 15_000)
    expect(seen).toContainEqual(reply)
    expect(seen.find(({ pkg_id, data }) => pkg_id === 100 && data.text === 'bread')).toEqual(announced)
    const empty = await post(url, '')
    expect([empty.status, await empty.json()]).toEqual([422, refused])
    expect(await (await fetch(`${url}/notes`)).json()).toHaveLength(2)
    socket.close()
    await end(child)
  })

  it('guards, limits and counts', async () => {
    const { line: url, child, text } = await start('guarded.ts')
    const [ada, bob] = ['ADA', 'BOB'].map((name) => new RegExp(`^${name}=(\\S+)$`, 'm').exec(text())?.[1])
    const answers: unknown[] = []
    for (const token of [undefined, bob, ada, ada, ada, ada]) {
      const answer = await post(url, 'milk', token)
      answers.push([answer.status, Object(await answer.json()).error?.code])
      if (answer.status === 429) expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    }
    expect(answers).toEqual([
      [401, 'authentication_failed'],
      [403, 'permission_denied'],
      [201, undefined],
      [201, undefined],
      [201, undefined],
      [429, 'rate_limit_exceeded'],
    ])
    // The limit is that of the route, not that of a wire.
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${ada}` } })
    await once(socket, 'open')
    socket.send(JSON.stringify({ pkg_id: 2, req_id: '5f0c2a54-6f3e-4f1e-9a0d-3f6f3c0f9d11', data: { text: 'bread' } }))
    const [bytes] = await once(socket, 'message')
    expect(JSON.parse(String(bytes)).data).toMatchObject({ code: 'rate_limit_exceeded' })
    socket.close()
    const bobs = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${bob}` } })
    const received: unknown[] = []
    bobs.on('message', (data) => received.push(JSON.parse(String(data))))
    await once(bobs, 'open')
    bobs.send(/BOB" -w 1 -x '(\{.*\})'/.exec(markdown)?.[1] ?? '')
    await vi.waitFor(() => expect(received).toHaveLength(2), 15_000)
    expect(received).toEqual([expect.objectContaining({ type: 'auth_ok' }), shown.at(-1)])
    bobs.close()
    // Without a token.
    const stranger = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    await once(stranger, 'open')
    stranger.send(/BOB" -w 1 -x '(\{.*\})'/.exec(markdown)?.[1] ?? '')
    expect((await once(stranger, 'close'))[0]).toBe(4001)
    const metrics = await (await fetch(`${url}/metrics`)).text()
    expect(/grep '(.*)'/.exec(markdown)?.[1]).toBe('http_requests_total.*"/notes"')
    expect(metrics).toMatch(/http_requests_total.*"\/notes"/)
    expect(metrics).toMatch(/^http_requests_total\{.*endpoint="\/notes".*status_code="429".*\} 1$/m)
    for (const [, name] of markdown.matchAll(/`((?:http|ws)_\w+)`/g)) expect(metrics).toContain(`# TYPE ${name}`)
    await end(child)
  })
})
