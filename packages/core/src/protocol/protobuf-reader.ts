import { isUtf8 } from 'node:buffer'

/** How a field is encoded: the lower three bits of its tag. */
export const WireType = { varint: 0, fixed64: 1, length: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const

/** Groups in each other, as deep as other implementations read them. */
const maxGroups = 100

/** The bytes are not a protobuf message. */
export class ProtobufError extends Error {}

/**
 * Reads a protobuf message field by field. Its methods throw a ProtobufError.
 *
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtobufReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  /** `number << 3 | wireType` of the next field, unsigned. */
  tag(): number {
    const start = this.#at
    const tag = this.varint() >>> 0
    if (tag < 8) throw new ProtobufError('A field of the message has the number 0')
    const length = this.#at - start
    // 32 bits: four of them are in the fifth byte.
    if (length > 5 || (length === 5 && Number(this.#bytes[this.#at - 1]) > 0x0f))
      throw new ProtobufError('A field of the message has a number over 2^29 - 1')
    return tag
  }

  /** The lower 32 bits, signed, as an int32 is read: a negative one has ten bytes. */
  varint(): number {
    const bytes = this.#bytes
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[this.#at]
      if (byte === undefined) throw endsEarly()
      this.#at++
      if (shift < 32) value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new ProtobufError('A number of the message has more than ten bytes')
  }

  text(): string {
    const length = this.varint() >>> 0
    const start = this.#at
    this.#skipBytes(length)
    const text = this.#bytes.toString('utf8', start, this.#at)
    // What is not UTF-8 is replaced by this character, which may also be in the text.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, this.#at)))
      throw new ProtobufError('A string of the message is not UTF-8')
    return text
  }

  /** Passes over the value of a field. */
  skip(tag: number): void {
    const groups: number[] = []
    for (let next = tag; ; next = this.tag()) {
      const number = next >>> 3
      switch (next & 7) {
        case WireType.varint:
          this.varint()
          break
        case WireType.fixed64:
          this.#skipBytes(8)
          break
        case WireType.length:
          this.#skipBytes(this.varint() >>> 0)
          break
        case WireType.fixed32:
          this.#skipBytes(4)
          break
        case WireType.groupStart:
          if (groups.push(number) > maxGroups) throw new ProtobufError('The message has too many groups in each other')
          break
        case WireType.groupEnd:
          if (groups.pop() !== number) throw new ProtobufError('A group of the message does not end where it should')
          break
        default:
          throw new ProtobufError(`The message has a field of the wire type ${next & 7}`)
      }
      if (groups.length === 0) return
    }
  }

  #skipBytes(count: number): void {
    this.#at += count
    if (this.#at > this.#bytes.length) throw endsEarly()
  }
}

function endsEarly(): ProtobufError {
  return new ProtobufError('The message ends early')
}
