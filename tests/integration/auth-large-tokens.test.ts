// Tokens up to 16 KB, however TCP splits them: requests written byte by byte to a raw socket.
import { createHash, randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PackageClient } from '../support/package-client.ts'
import { type SignInApp, signInPkgIds, startSignInApp } from '../support/sign-in-app.ts'

const maxTokenBytes = 16 * 1024
const answerWithinMs = 60_000

let issuer: TestIssuer
let app: SignInApp
beforeAll(async () => {
  issuer = await createTestIssuer({ users: [{ username: 'ada', roles: ['get-authors'] }] })
  app = await startSignInApp({ issuer: issuer.issuer, audience: issuer.clientId, clientId: issuer.clientId })
})
afterAll(async () => {
  await app?.close()
  await issuer?.stop()
})

/** The longest token of at most so many bytes (base64 skips some lengths); each call creates a new one, which is not cached. */
function tokenOf(bytes: number): string {
  const make = (padding: number): string =>
    issuer.token('ada', { claims: { padding: 'x'.repeat(padding) }, algorithm: 'ES256' })
  // Three bytes of the padding are four bytes of the token.
  let padding = Math.floor(((bytes - make(0).length) * 3) / 4) + 2
  let token = make(padding)
  while (token.length > bytes) {
    padding -= 1
    token = make(padding)
  }
  return token
}

function open(): Promise<Socket> {
  const { port } = new URL(app.url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => resolve(socket))
    // Each write is a separate segment.
    socket.setNoDelay(true)
    socket.once('error', reject)
    onTestFinished(() => void socket.destroy())
  })
}

/** Writes `size` bytes at a time, each after the previous ones were flushed. */
async function write(socket: Socket, bytes: Buffer, size: number): Promise<void> {
  for (let at = 0; at < bytes.length && !socket.destroyed; at += size)
    await new Promise<void>((resolve) => socket.write(bytes.subarray(at, at + size), () => resolve()))
}

/** Everything that is received until it matches `pattern`. */
function read(socket: Socket, pattern: RegExp): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const timer = setTimeout(() => reject(new Error(`got ${received.toString('latin1')}`)), answerWithinMs)
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk])
      if (!pattern.test(received.toString('latin1'))) return
      clearTimeout(timer)
      socket.off('data', onData)
      resolve(received)
    }
    socket.on('data', onData)
    socket.once('close', () => reject(new Error(`closed after ${received.toString('latin1')}`)))
  })
}

const request = (token: string): Buffer =>
  Buffer.from(`GET /read HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${token}\r\n\r\n`)

function upgrade(...headers: readonly string[]): { readonly bytes: Buffer; readonly accept: string } {
  const key = randomBytes(16).toString('base64')
  const lines = [
    'GET /web HTTP/1.1',
    'host: 127.0.0.1',
    'connection: Upgrade',
    'upgrade: websocket',
    'sec-websocket-version: 13',
    `sec-websocket-key: ${key}`,
    ...headers,
  ]
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  return { bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), accept }
}

/** A masked text frame (RFC 6455, 5.2). */
function frame(text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = randomBytes(4)
  const head = payload.length < 126 ? Buffer.from([0x81, 0x80 | payload.length]) : Buffer.alloc(4)
  if (payload.length >= 126) {
    head.set([0x81, 0x80 | 126])
    head.writeUInt16BE(payload.length, 2)
  }
  return Buffer.concat([head, mask, payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0))])
}

const read1 = JSON.stringify({
  pkg_id: signInPkgIds.READ,
  req_id: '5f0c6b0e-8a0e-4b0e-9d0a-2f1f3b1c7a55',
  method: '',
  data: {},
})

describe('a token of 16 KB', () => {
  test.each([1, 7, 1000, 1448, 65_536])('is accepted over HTTP, %i bytes at a time', async (size) => {
    const token = tokenOf(maxTokenBytes)
    const socket = await open()
    const answer = read(socket, /\r\n\r\n\{.*\}$/)
    await write(socket, request(token), size)
    expect((await answer).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*"username":"ada"/)
    // The connection is still usable: the next request on it works too.
    const again = read(socket, /\r\n\r\n\{.*\}$/)
    await write(socket, request(token), size)
    expect((await again).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  })

  test.each([1, 1448])('is accepted in the header of an upgrade, %i bytes at a time', async (size) => {
    const socket = await open()
    const { bytes, accept } = upgrade(`authorization: Bearer ${tokenOf(maxTokenBytes)}`)
    const greeting = read(socket, /"auth_ok".*\}/)
    await write(socket, bytes, size)
    const text = (await greeting).toString('latin1')
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    expect(text.toLowerCase()).toContain(`sec-websocket-accept: ${accept}`.toLowerCase())
    const reply = read(socket, /"username":"ada"/)
    await write(socket, frame(read1), size)
    await reply
  })

  test.each([1, 1448])('is accepted in the sub-protocol of an upgrade, %i bytes at a time', async (size) => {
    const socket = await open()
    const { bytes } = upgrade(`sec-websocket-protocol: twinwire, bearer.${tokenOf(maxTokenBytes)}`)
    const greeting = read(socket, /"auth_ok".*\}/)
    await write(socket, bytes, size)
    const text = (await greeting).toString('latin1')
    // Only the first sub-protocol is echoed: a token must not be sent back.
    expect(text).toMatch(/^sec-websocket-protocol: twinwire\r$/im)
    expect(text).not.toContain('bearer.')
  })

  test.each([1, 1448])('is accepted in the first frame, %i bytes at a time', async (size) => {
    const socket = await open()
    const { bytes } = upgrade()
    const switched = read(socket, /^HTTP\/1\.1 101 [\s\S]*\r\n\r\n/)
    await write(socket, bytes, size)
    await switched
    const greeting = read(socket, /"auth_ok".*\}/)
    await write(socket, frame(JSON.stringify({ type: 'auth', token: `Bearer ${tokenOf(maxTokenBytes)}` })), size)
    await greeting
  })
})

test('one more byte is rejected, not truncated', async () => {
  const socket = await open()
  const answer = read(socket, /\r\n\r\n\{.*\}$/)
  await write(socket, request(tokenOf(maxTokenBytes + 1)), 1448)
  expect((await answer).toString()).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n[\s\S]*www-authenticate: Bearer /i)
})

test('tokens of a hundred sizes are accepted, in pieces of any length', async () => {
  const socket = await open()
  for (let round = 0; round < 100; round += 1) {
    const answer = read(socket, /\r\n\r\n\{.*\}$/)
    await write(socket, request(tokenOf(1000 + Math.floor((round * (maxTokenBytes - 1000)) / 99))), 500 + round * 37)
    expect((await answer).toString()).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  }
})

test('an upgrade that waited for its token to be verified stays open', async () => {
  for (let round = 0; round < 20; round += 1) {
    const client = await PackageClient.connect(app.socketUrl, tokenOf(1000 + round))
    expect(await client.call(signInPkgIds.READ)).toMatchObject({ status_code: 0 })
    await client.close()
  }
})
