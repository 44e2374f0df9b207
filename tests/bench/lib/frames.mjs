import { createHash, randomBytes } from 'node:crypto'

/** A masked frame, as a client has to send it: of text, or of bytes. */
export function toClientFrame(message) {
  const payload = Buffer.from(message)
  const first = typeof message === 'string' ? 0x81 : 0x82
  if (payload.length > 65_535) throw new Error('Frames of over 65535 bytes are not made here')
  const short = payload.length < 126
  const mask = randomBytes(4)
  const head = short
    ? Buffer.from([first, 0x80 | payload.length])
    : Buffer.from([first, 0xfe, payload.length >> 8, payload.length & 255])
  for (let i = 0; i < payload.length; i++) payload[i] ^= mask[i & 3]
  return Buffer.concat([head, mask, payload])
}

/** What opens a WebSocket, and what the server has to answer to it. */
export function createHandshake(port, path, token = null) {
  const key = randomBytes(16).toString('base64')
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
    ...(token === null ? [] : [`Authorization: Bearer ${token}`]),
  ]
  return { request: `${lines.join('\r\n')}\r\n\r\n`, accept }
}

/** Iterates over a server's frames by their headers, without reading their payload. */
export class FrameCounter {
  #skip = 0
  #rest = null

  /**
   * How many frames end in `chunk`. Throws on anything else than whole messages: a close frame, say.
   *
   * @param {Buffer} chunk
   */
  count(chunk) {
    let bytes = chunk
    if (this.#rest !== null) {
      bytes = Buffer.concat([this.#rest, chunk])
      this.#rest = null
    }
    let frames = 0
    let at = this.#skip
    // Something is left to skip, and it does not end in this chunk.
    if (at > bytes.length) {
      this.#skip = at - bytes.length
      return 0
    }
    if (at > 0) frames++
    this.#skip = 0
    while (at < bytes.length) {
      const frame = readHead(bytes, at)
      if (frame === null) {
        this.#rest = bytes.subarray(at)
        break
      }
      at = frame.end
      if (at > bytes.length) {
        this.#skip = at - bytes.length
        break
      }
      frames++
    }
    return frames
  }
}

/** The text or the bytes of the one frame that `bytes` hold; null while it is not whole. */
export function readFrame(bytes) {
  const frame = readHead(bytes, 0)
  if (frame === null || frame.end > bytes.length) return null
  if (frame.end < bytes.length) throw new Error('More than one frame came back for one package')
  const payload = bytes.subarray(frame.start, frame.end)
  return bytes[0] === 0x81 ? payload.toString('utf8') : payload
}

function readHead(bytes, at) {
  if (bytes.length < at + 2) return null
  if (bytes[at] !== 0x81 && bytes[at] !== 0x82)
    throw new Error(`Expected a message, got one that starts with ${bytes[at]}`)
  const length = bytes[at + 1]
  if (length < 126) return { start: at + 2, end: at + 2 + length }
  if (length === 127) throw new Error('A frame of over 65535 bytes came back')
  if (bytes.length < at + 4) return null
  return { start: at + 4, end: at + 4 + bytes.readUInt16BE(at + 2) }
}
