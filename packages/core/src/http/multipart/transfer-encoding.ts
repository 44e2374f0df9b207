/** How the bytes of a part are written (RFC 2045, 6). RFC 7578 deprecates all but the plain ones; mail clients and old libraries use them. */
export type TransferEncoding = '7bit' | '8bit' | 'binary' | 'base64' | 'quoted-printable'

const encodings: readonly string[] = [
  '7bit',
  '8bit',
  'binary',
  'base64',
  'quoted-printable',
] satisfies TransferEncoding[]

export function isTransferEncoding(text: string): text is TransferEncoding {
  return encodings.includes(text)
}

/** Decodes the chunks of one part. Each method returns null for bytes that are not encoded as they must be. */
export interface PartDecoder {
  write(chunk: Uint8Array): Uint8Array | null
  end(): Uint8Array | null
}

/** Null for an encoding that leaves the bytes as they are. */
export function createDecoder(encoding: TransferEncoding): PartDecoder | null {
  if (encoding === 'base64') return new Base64Decoder()
  return encoding === 'quoted-printable' ? new QuotedPrintableDecoder() : null
}

const none = new Uint8Array(0)

class Base64Decoder implements PartDecoder {
  /** Characters of a group of four that is not complete. */
  #rest = ''
  #padded = false

  write(chunk: Uint8Array): Uint8Array | null {
    const text = this.#rest + toBuffer(chunk).toString('latin1').replaceAll(/\s+/g, '')
    const whole = text.length - (text.length % 4)
    this.#rest = text.slice(whole)
    return this.#decode(text.slice(0, whole))
  }

  end(): Uint8Array | null {
    // Padding may be left out.
    return this.#rest.length % 4 === 1 ? null : this.#decode(this.#rest)
  }

  #decode(text: string): Uint8Array | null {
    if (text === '') return none
    if (this.#padded || !/^[A-Za-z\d+/]*={0,2}$/.test(text)) return null
    this.#padded = text.endsWith('=')
    return Buffer.from(text, 'base64')
  }
}

const equals = 0x3d
const cr = 0x0d
const lf = 0x0a

class QuotedPrintableDecoder implements PartDecoder {
  /** An escape that is not complete. */
  #rest: Uint8Array = none

  write(chunk: Uint8Array): Uint8Array | null {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const decoded = new Uint8Array(bytes.length)
    let length = 0
    let at = 0
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0
      if (byte !== equals) decoded[length++] = byte
      else if (bytes[at + 1] === lf) at++
      else if (at + 2 >= bytes.length) break
      else if (bytes[at + 1] === cr && bytes[at + 2] === lf) at += 2
      else {
        const value = toHex(bytes[at + 1] ?? 0, bytes[at + 2] ?? 0)
        if (value === null) return null
        decoded[length++] = value
        at += 2
      }
    }
    // A copy: the chunk is not ours.
    this.#rest = bytes.slice(at)
    return decoded.subarray(0, length)
  }

  end(): Uint8Array | null {
    return this.#rest.length === 0 ? none : null
  }
}

function toBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length)
}

function toHex(high: number, low: number): number | null {
  const text = String.fromCharCode(high, low)
  return /^[\da-f]{2}$/i.test(text) ? Number.parseInt(text, 16) : null
}
