// docs_site/wire.md: what a client sees that does not keep to the rules. Each row of its tables is a case here, on real sockets.
import { describe, expect, test } from 'vitest'
import { frame, handshake, http, startWireApp, type WireApp } from '../support/wire-app.ts'
import { wireRows } from '../support/wire-page.ts'
import { silenceRows } from '../support/wire-silence.ts'

type Case = (app: WireApp) => Promise<void>
type Headers = Readonly<Record<string, string | readonly string[]>>

const json = { 'content-type': 'application/json' }
const body = '{"id":1}'
const length = { 'content-length': '8' }
const chunked = { 'transfer-encoding': 'chunked' }
const chunks = '8\r\n{"id":1}\r\n0\r\n'

/** Everything about a call has been told when it is there. */
const told = (app: WireApp, seen: readonly string[]): Promise<void> => expect.poll(() => app.seen).toEqual(seen)

async function closedAfter(app: WireApp, bytes: string): Promise<string> {
  const peer = await app.dial()
  peer.write(bytes)
  return peer.closed
}

/** Our 400, and the connection closed. */
const refused =
  (headers: Headers): Case =>
  async (app) => {
    const answer = await closedAfter(app, http('POST /now', { ...json, ...length, ...headers }, body))
    expect(answer).toMatch(
      /^HTTP\/1\.1 400 Bad Request\r\n[\s\S]*\r\nx-correlation-id: [\s\S]*\r\nConnection: close\r\n/,
    )
    expect(answer).toMatch(/\r\n\r\n\{"error":\{"code":"malformed_request","msg":"[^"]+","details":null\}\}$/)
    await told(app, ['400'])
  }

const all = (...cases: readonly Case[]): readonly Case[] => cases

const rejectedBeforeRouting: Readonly<Record<string, readonly Case[]>> = {
  'Content-Length twice, also with the same number': all(refused({ 'content-length': ['8', '8'] })),
  'Transfer-Encoding that is not exactly chunked (another coding, a list, capitals), or twice': [
    'gzip, chunked',
    'Chunked',
    ['chunked', 'chunked'],
  ].map(
    (coding): Case =>
      async (app) => {
        const head = { ...json, 'transfer-encoding': coding }
        const answer = await closedAfter(app, http('POST /now', head, `${chunks}\r\n`))
        expect(answer).toMatch(/^HTTP\/1\.1 400 [\s\S]*"malformed_request"/)
        await told(app, ['400'])
      },
  ),
  'Authorization or Proxy-Authorization twice': all(
    refused({ authorization: ['Bearer a', 'Bearer a'] }),
    refused({ 'proxy-authorization': ['Basic YTpi', 'Basic YTpj'] }),
  ),
  'Content-Type twice': all(refused({ 'content-type': ['application/json', 'application/json'] })),
  'Origin twice': all(refused({ origin: ['https://app.example', 'https://app.example'] })),
  'Idempotency-Key twice': all(refused({ 'idempotency-key': ['a', 'b'] })),
  'Sec-WebSocket-Key or Sec-WebSocket-Version twice': all(
    refused({ 'sec-websocket-version': ['13', '13'] }),
    refused({ 'sec-websocket-key': [handshake['sec-websocket-key'], handshake['sec-websocket-key']] }),
  ),
  'an empty Host': all(refused({ host: '' })),
  'a Trailer field': all(async (app) => {
    const head = { ...json, ...chunked, trailer: 'x-sum' }
    expect(await closedAfter(app, http('POST /now', head, `${chunks}x-sum: 1\r\n\r\n`))).toMatch(/^HTTP\/1\.1 [45]/)
    await told(app, ['400'])
  }),
  'a method that is not in upper case': all(async (app) => {
    const peer = await app.dial()
    peer.write(http('post /now', { ...json, ...length }, body))
    expect(await peer.until(/method_not_allowed/)).toMatch(/^HTTP\/1\.1 405 [\s\S]*\r\nallow: OPTIONS, POST\r\n/)
    await told(app, ['405'])
  }),
  'without Connection: Upgrade, without Upgrade: websocket, or of another version than 13': [
    { connection: 'keep-alive' },
    { upgrade: 'h2c' },
    { 'sec-websocket-version': '8' },
  ].map(
    (headers): Case =>
      async (app) => {
        const peer = await app.dial()
        peer.write(http('GET /ws', { ...handshake, ...headers }))
        const answer = await peer.until(/upgrade_required/)
        expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n[\s\S]*\r\nupgrade: websocket\r\n/)
        expect(answer).toMatch(/\r\nsec-websocket-version: 13\r\n/)
        await told(app, ['refused upgrade_required'])
      },
  ),
  'with a key that is not 16 bytes in base64': all(
    async (app) => {
      const peer = await app.dial()
      peer.write(http('GET /ws', { ...handshake, 'sec-websocket-key': '*'.repeat(24) }))
      expect(await peer.until(/malformed_request/)).toMatch(/^HTTP\/1\.1 400 /)
    },
    async (app) => {
      const peer = await app.dial()
      peer.write(http('GET /ws', { ...handshake, 'sec-websocket-key': 'short' }))
      expect(await peer.until(/upgrade_required/)).toMatch(/^HTTP\/1\.1 426 /)
    },
  ),
  'with a body': all(async (app) => {
    const peer = await app.dial()
    peer.write(http('GET /ws', { ...handshake, 'content-length': '2' }, 'ab'))
    expect(await peer.until(/malformed_request/)).toMatch(/^HTTP\/1\.1 400 /)
  }),
}

/** A page of uWebSockets.js, and the connection closed. */
const page =
  (status: number, bytes: string, seen: readonly string[] = []): Case =>
  async (app) => {
    const answer = await closedAfter(app, bytes)
    expect(answer).toMatch(new RegExp(String.raw`^HTTP/1\.1 ${status} [^\r]*\r\nConnection: close\r\n\r\n<h1>`))
    await told(app, seen)
  }

const many = (count: number): Headers => Object.fromEntries(Array.from({ length: count }, (_, at) => [`x-${at}`, '1']))

const answeredByUws: Readonly<Record<string, readonly Case[]>> = {
  'another version than HTTP/1.1, or a target that is not a path (*, http://…, CONNECT)': all(
    page(505, 'GET /now HTTP/1.0\r\nHost: a\r\n\r\n'),
    page(505, http('OPTIONS *')),
    page(505, http('GET http://127.0.0.1/now')),
    page(505, http('CONNECT 127.0.0.1:80')),
  ),
  'more than 98 header fields, or a head of more than maxHeaderBytes (32 KiB)': all(
    async (app) => {
      const peer = await app.dial()
      // One of them is the host.
      peer.write(http('POST /now', { ...json, ...length, ...many(95) }, body))
      expect(await peer.until(/\{"id":1\}/)).toMatch(/^HTTP\/1\.1 200 /)
    },
    page(431, http('GET /now', many(98))),
    page(431, http('GET /now', { 'x-long': 'x'.repeat(33_000) })),
  ),
  'no Host, or two': all(
    page(400, 'GET /now HTTP/1.1\r\nx-own: 1\r\n\r\n'),
    page(400, http('GET /now', { host: ['127.0.0.1', '127.0.0.1'] })),
  ),
  'a header field that cannot be read: a control character, a space before the colon, a folded line': all(
    page(400, http('GET /now', { 'x-own': 'a\x01b' })),
    page(400, http('GET /now', { 'x-own ': 'a' })),
    page(400, http('GET /now', { 'x-own': 'a\r\n b' })),
  ),
  'Content-Length beside Transfer-Encoding': all(
    page(400, http('POST /now', { ...json, ...length, ...chunked }, `${chunks}\r\n`)),
  ),
  'Content-Length that is not a number of bytes': all(
    page(400, http('POST /now', { ...json, 'content-length': '8.0' }, body), ['400']),
    page(400, http('POST /later', { ...json, 'content-length': '-8' }, body), ['400']),
  ),
  'a chunked body with a size of a chunk that cannot be read': all(
    page(400, http('POST /now', { ...json, ...chunked }, 'zz\r\n{"id":1}\r\n0\r\n\r\n'), ['499 left']),
  ),
  'trailer fields after the last chunk, in the same packet': all(
    page(505, http('POST /now', { ...json, ...chunked }, `${chunks}x-sum: 1\r\n\r\n`), ['499 left']),
  ),
  'trailer fields after the last chunk, in a later packet': all(async (app) => {
    const peer = await app.dial()
    peer.write(http('POST /now', { ...json, ...chunked }, chunks))
    await peer.until(/\{"id":1\}$/)
    peer.write('x-sum: 1\r\n\r\n')
    expect(await peer.closed).toMatch(/^HTTP\/1\.1 200 [\s\S]*\{"id":1\}HTTP\/1\.1 505 /)
    await told(app, ['ran', '200'])
  }),
  'a second request before the answer to the first, which was not given at once': all(async (app) => {
    const one = http('POST /later', { ...json, ...length }, body)
    expect(await closedAfter(app, one + one)).toBe('')
    await expect.poll(() => app.seen).toContain('499 left')
    expect(app.seen.filter((each) => each !== 'ran')).toEqual(['499 left'])
  }),
  'Connection: close together with other options': all(async (app) => {
    const peer = await app.dial()
    peer.write(http('POST /now', { ...json, ...length, connection: 'close, te' }, body))
    await peer.until(/\{"id":1\}$/)
    peer.write(http('POST /now', { ...json, ...length, connection: 'close' }, body))
    expect(await peer.closed).toMatch(/\{"id":1\}HTTP\/1\.1 200 [\s\S]*\{"id":1\}$/)
  }),
}

/** What came after the answer to the handshake. */
const frames = (text: string): string => text.slice(text.indexOf('\r\n\r\n') + 4)

/** Closed by the server, without a frame. */
const cut =
  (...sent: readonly Uint8Array[]): Case =>
  async (app) => {
    const peer = await app.dialWebSocket()
    for (const each of sent) peer.write(each)
    expect(frames(await peer.closed)).toBe('')
    await told(app, ['closed 1006'])
  }

const call = JSON.stringify({ pkg_id: 1, req_id: '0b1c6fcd-7c2d-4c9e-8a3f-5d2e7f1a9b30', method: '', data: { id: 1 } })

const webSocket: Readonly<Record<string, readonly Case[]>> = {
  'text that is not UTF-8': all(cut(frame(1, Buffer.from([0xff, 0xfe])))),
  'a reserved bit or opcode': all(cut(frame(1, 'x', { reserved: 0x40 })), cut(frame(3, 'x')), cut(frame(11, 'x'))),
  'a ping, pong or close that is fragmented or longer than 125 bytes': [8, 9, 10].flatMap((opcode) =>
    all(cut(frame(opcode, 'x'.repeat(126))), cut(frame(opcode, 'x', { fin: false }))),
  ),
  'a continuation without a beginning, or a beginning within a message': all(
    cut(frame(0, 'x')),
    cut(frame(1, 'x', { fin: false }), frame(1, 'y')),
  ),
  'a close frame whose code or reason is not allowed': [
    [3, 0xed],
    [3, 0xe7],
    [0x13, 0x87, 0xff],
  ].map(
    (payload): Case =>
      async (app) => {
        const peer = await app.dialWebSocket()
        peer.write(frame(8, Buffer.from(payload)))
        expect(frames(await peer.closed)).toBe('\x88\x00')
        await told(app, ['closed 1006'])
      },
  ),
  'a frame of more than websocket.maxPayloadBytes': all(async (app) => {
    const peer = await app.dialWebSocket()
    // The length alone: 2 MiB are announced.
    peer.write(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0, 0]))
    expect(frames(await peer.closed)).toBe('')
    await told(app, ['closed 1006'])
  }),
  'a frame without a mask': all(async (app) => {
    const peer = await app.dialWebSocket()
    peer.write(frame(1, call, { masked: false }))
    peer.leave()
    await expect.poll(() => app.seen.at(-1)).toMatch(/^closed/)
    expect(app.seen).not.toContain('ran')
  }),
}

const sections = {
  'Rejected before routing': rejectedBeforeRouting,
  'Answered by uWebSockets.js': { ...answeredByUws, ...webSocket },
}

describe.each(Object.entries(sections))('%s', (heading, cases) => {
  const rows = Object.entries(cases)

  test('every row of the page has its case', () => {
    const page = wireRows(heading).filter((row) => !silenceRows.includes(row))
    expect(page.toSorted()).toEqual(rows.map(([row]) => row).toSorted())
  })

  test.each(rows)('%s', async (_row, each) => {
    for (const run of each) await run(await startWireApp())
  })
})

test('a client that follows the rules is served, on both wires', async () => {
  const app = await startWireApp()
  const peer = await app.dial()
  // Two at once: what is answered at once may be followed at once.
  const plain = http('POST /now', { ...json, ...length }, body)
  peer.write(plain + plain)
  await peer.until(/\{"id":1\}[\s\S]*\{"id":1\}$/)
  peer.write(http('POST /later', { ...json, ...chunked }, `${chunks}\r\n`))
  await peer.until(/(?:\{"id":1\}[\s\S]*){3}$/)
  const socket = await app.dialWebSocket()
  socket.write(frame(9, 'x'))
  expect(frames(await socket.until('\x8a\x01x'))).toBe('\x8a\x01x')
  socket.write(frame(1, call.slice(0, 20), { fin: false }))
  socket.write(frame(0, call.slice(20)))
  expect(frames(await socket.until(/"status_code":0/))).toContain('"data":{"id":1}')
  socket.write(frame(8, Buffer.from([3, 0xe8])))
  expect(frames(await socket.closed)).toContain('\x88\x02\x03\xe8')
  await told(app, ['ran', '200', 'ran', '200', 'ran', '200', 'ran', '200', 'closed 1000'])
})
