import type { AppError } from '../../errors/app-error.ts'
import { refuse, tooLarge } from './multipart-errors.ts'
import type { Part } from './part-reader.ts'

/** Reads a part into memory of its own. Throws `payload_too_large` at more than `maxBytes`, after which the rest can be skipped. */
export async function readBytes(part: Part, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for (let chunk = await part.read(); chunk !== null; chunk = await part.read()) {
    length += chunk.length
    if (length > maxBytes) throw tooLarge(part.head, maxBytes)
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** The text of a part, without a byte order mark; an error for bytes that its charset does not have. */
export function decodeText({ head }: Part, bytes: Uint8Array): string | AppError {
  try {
    return new TextDecoder(head.charset, { fatal: true }).decode(bytes)
  } catch {
    return refuse(`The text is not valid ${head.charset}`, head.name)
  }
}
