// docs_site/wire.md: the rows that take half a minute, side by side.
import { expect, test } from 'vitest'
import { http, startWireApp } from '../support/wire-app.ts'
import { wireRows } from '../support/wire-page.ts'
import { silenceRows } from '../support/wire-silence.ts'

const json = { 'content-type': 'application/json' }
const chunked = { ...json, 'transfer-encoding': 'chunked' }
const whole = http('POST /now', { ...json, 'content-length': '8' }, '{"id":1}')

test('the page has these rows', () => {
  expect(wireRows('Answered by uWebSockets.js')).toEqual(expect.arrayContaining([...silenceRows]))
})

test('a client that is silent, or whose chunks are not understood, is cut without an answer', {
  timeout: 180_000,
}, async () => {
  const app = await startWireApp({ websocket: { idleTimeoutSeconds: 8 }, deadlineMs: 120_000 })
  const closed = async (bytes: string): Promise<string> => {
    const peer = await app.dial()
    if (bytes !== '') peer.write(bytes)
    return peer.closed
  }
  const socket = await app.dialWebSocket()
  const [before, head, sized, chunk, extension, between, silent] = await Promise.all([
    closed(''),
    closed('POST /now HTTP/1.1\r\nHost: 127'),
    closed(http('POST /now', { ...json, 'content-length': '8' }, '{"id"')),
    closed(http('POST /now', chunked, '8\r\n{"id"')),
    closed(http('POST /now', chunked, '8;a=b\r\n{"id":1}\r\n0\r\n\r\n')),
    closed(whole),
    socket.closed,
  ])
  expect([before, head, sized, chunk, extension]).toEqual(['', '', '', '', ''])
  expect(between).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"id":1\}$/)
  // A ping, which it does not answer.
  expect(silent.slice(silent.indexOf('\r\n\r\n') + 4)).toBe('\x89\x00')
  await expect
    .poll(() => app.seen.toSorted())
    .toEqual(['200', '499 left', '499 left', '499 left', 'closed 1006', 'ran'])
})
