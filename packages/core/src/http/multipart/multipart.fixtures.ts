import { type DropListener, warnOfDropped } from '../../base/drop-safe.ts'
import type { MultipartLimits } from '../../call/multipart-file.ts'
import { type MultipartOptions, toMultipartLimits } from '../../route/multipart-limits.ts'
import { loadDicer } from './dicer.ts'
import { MultipartBody } from './multipart-body.ts'

const defaults: MultipartLimits = toMultipartLimits('a test', {}, 1_048_576)
const createDicer = await loadDicer()

export interface BodyOptions extends MultipartOptions {
  readonly contentType?: string
  readonly listener?: DropListener
  /** The body arrives in pieces of so many bytes. Default: all at once. */
  readonly chunkBytes?: number
  /** Called before each piece is given out. */
  readonly onRead?: (piece: number) => void
  /** After the last piece, instead of the end. */
  readonly fails?: Error
}

/** A body with the boundary `b`; lines are separated by `\n` here and by CRLF there. */
export function toBytes(text: string): Buffer {
  return Buffer.from(text.replaceAll('\n', '\r\n'))
}

export function openBody(
  body: string | Uint8Array | AsyncIterable<Uint8Array>,
  {
    contentType = 'multipart/form-data; boundary=b',
    chunkBytes = Number.MAX_SAFE_INTEGER,
    onRead,
    listener = warnOfDropped,
    fails,
    ...rest
  }: BodyOptions = {},
): MultipartBody {
  async function* read(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0, piece = 0; at < bytes.length; at += chunkBytes, piece++) {
      onRead?.(piece)
      // Copies, as those of a transport are.
      yield Uint8Array.prototype.slice.call(bytes, at, at + chunkBytes)
    }
    if (fails !== undefined) throw fails
  }
  return new MultipartBody({
    contentType,
    body: typeof body === 'string' ? read(toBytes(body)) : body instanceof Uint8Array ? read(body) : body,
    limits: { ...defaults, ...rest },
    createDicer,
    listener,
  })
}

export interface ReadFile {
  readonly field: string
  readonly filename: string | null
  readonly contentType: string
  readonly bytes: Buffer
}

/** All of a body. */
export async function readBody(body: MultipartBody): Promise<{
  readonly fields: Readonly<Record<string, string | readonly string[]>>
  readonly files: readonly ReadFile[]
}> {
  const fields = { ...(await body.readFields()) }
  const files: ReadFile[] = []
  for await (const file of body) {
    const { field, filename, contentType } = file
    files.push({ field, filename, contentType, bytes: Buffer.from(await file.bytes()) })
  }
  return { fields, files }
}
