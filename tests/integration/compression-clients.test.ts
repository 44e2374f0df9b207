// Clients that decode by themselves: curl, and the fetch of Node.
import { spawn, spawnSync } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { reply, route } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { describe, expect, test } from 'vitest'
import { serviceMissing } from '../support/service.ts'

const hasCurl = spawnSync('curl', ['--version']).status === 0 || serviceMissing('curl', 'put curl on the PATH')
const list = Array.from({ length: 2500 }, (_, id) => ({ id, name: `Author number ${(id * 7919) % 997}` }))
const lines = Array.from({ length: 50 }, (_, n) => `line ${n}\n`)

async function serve(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { address, close } = await createTestApp(
    {
      pkgIds: {},
      routes: {},
      endpoints: [
        route({ http: 'GET /list', access: 'public', handler: () => list }),
        route({
          http: 'GET /lines',
          access: 'public',
          handler: () => reply.stream(lines, { headers: { 'content-type': 'text/plain' } }),
        }),
      ],
    },
    { transport: 'uws' },
  )
  return { url: `http://127.0.0.1:${address.port}`, close }
}

describe.skipIf(!hasCurl)('curl --compressed', () => {
  test.each(['gzip', 'br, gzip', 'br'])('decodes a list and a stream: %s', async (encoding) => {
    const { url, close } = await serve()
    // What this curl cannot decode it would not accept by itself.
    const canDecode = spawnSync('curl', ['--version']).stdout.toString().includes('brotli') || encoding === 'gzip'
    const accept = canDecode ? ['-H', `accept-encoding: ${encoding}`] : []
    const curl = (...args: readonly string[]) => text(spawn('curl', ['-sS', '--compressed', ...accept, ...args]).stdout)
    expect(JSON.parse(await curl(`${url}/list`))).toEqual(list)
    expect(await curl(`${url}/lines`)).toBe(lines.join(''))
    const bytes = Number(await curl('-o', '/dev/null', '-w', '%{size_download}', `${url}/list`))
    expect(bytes).toBeLessThan(JSON.stringify(list).length / 4)
    await close()
  })
})

test('fetch decodes a list and a stream', async () => {
  const { url, close } = await serve()
  for (const encoding of ['br', 'gzip']) {
    const answer = await fetch(`${url}/list`, { headers: { 'accept-encoding': encoding } })
    expect([answer.headers.get('content-encoding'), await answer.json()]).toEqual([encoding, list])
  }
  const stream = await fetch(`${url}/lines`)
  expect([stream.headers.get('content-encoding'), await stream.text()]).toEqual(['gzip', lines.join('')])
  await close()
})
