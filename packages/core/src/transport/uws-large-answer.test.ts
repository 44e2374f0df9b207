import { describe, expect, it } from 'vitest'
import { deferred, dial, request, serve } from './uws-fixture.ts'
import { largeLength } from './uws-large-answer.ts'

const kib = 1024

describe('a large answer', () => {
  it('is one by its bytes, not by the length of its text', () => {
    expect(largeLength(null)).toBe(0)
    expect(largeLength('x'.repeat(12 * kib))).toBe(0)
    expect(largeLength('x'.repeat(12 * kib + 1))).toBe(12 * kib + 1)
    expect(largeLength('€'.repeat(4 * kib))).toBe(0)
    expect(largeLength('€'.repeat(4 * kib + 1))).toBe(12 * kib + 3)
    expect(largeLength(new Uint8Array(12 * kib))).toBe(0)
    expect(largeLength(new Uint8Array(12 * kib + 1))).toBe(12 * kib + 1)
  })

  const sizes = [11, 13, 15, 16, 17, 40, 3000].flatMap((size) => [[size, 'ü'] as const, [size, 'u'] as const])
  it.each(sizes)('of %i KiB of %s is whole, at once and late, on one connection', async (size, letter) => {
    const text = letter.repeat((size * kib) / Buffer.byteLength(letter))
    const { port, faults } = await serve({
      request: (exchange) => {
        const { path } = exchange
        const respond = (): void =>
          exchange.respond(200, [['x-path', path]], path === '/bytes' ? Buffer.from(text) : text)
        if (path === '/late') setImmediate(respond)
        else respond()
      },
    })
    const peer = await dial(port)
    let arrived = 0
    for (const path of ['/now', '/late', '/bytes', '/late', '/now']) {
      peer.write(request('GET', path))
      const head = await peer.until(new RegExp(`x-path: ${path}[\\s\\S]*\\r\\n\\r\\n`))
      expect(head).toContain(`Content-Length: ${size * kib}\r\n`)
      arrived += 1
      await expect.poll(() => bodies(peer.chunks), { timeout: 15_000 }).toBe(text.repeat(arrived))
    }
    expect(faults).toEqual([])
  })

  it('to a client that wants its connection closed is whole, and then it is closed', async () => {
    const { port } = await serve({ request: (exchange) => exchange.respond(200, [], new Uint8Array(12_000 * kib)) })
    const peer = await dial(port)
    peer.write(request('GET', '/', { connection: 'close' }))
    await peer.until(/\r\n\r\n/)
    peer.socket.pause()
    await new Promise((resolve) => setImmediate(resolve))
    peer.socket.resume()
    await peer.closed
    const all = Buffer.concat(peer.chunks)
    expect(all.byteLength - (all.indexOf('\r\n\r\n') + 4)).toBe(12_000 * kib)
  })

  it('whose client resets in its middle is not a fault, and calls no onAborted', async () => {
    const answered = deferred<void>()
    const aborted: string[] = []
    const { port, faults, transport } = await serve({
      request: (exchange) => {
        exchange.onAborted(() => aborted.push('aborted'))
        exchange.respond(200, [], new Uint8Array(12_000 * kib))
        answered.resolve()
      },
    })
    const peer = await dial(port)
    peer.write(request('GET', '/'))
    await answered.promise
    peer.socket.resetAndDestroy()
    await transport.flushed()
    expect([faults, aborted]).toEqual([[], []])
  })
})

/** The bodies of all answers that came, joined. */
function bodies(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks)
    .toString('utf8')
    .replaceAll(/HTTP\/1\.1[\s\S]*?\r\n\r\n/g, '')
}
