import type { ActiveCall } from '../../call/active-call.ts'
import { UnavailableError } from '../../errors/app-error.ts'
import { decide, type FileRequest, type ReadyAnswer, toHeaders } from './file-answer.ts'
import { chunkBytes, FileSource, readFully } from './file-source.ts'
import type { OpenFile } from './open-file.ts'
import type { Representation } from './representation.ts'

const nothing = new Uint8Array(0)

/** Reads the beginning of an open file, and closes it unless more of it is to be sent. */
export async function readyOpened(
  request: FileRequest,
  call: ActiveCall,
  { handle, size }: OpenFile,
  form: Representation,
  status: number | null,
): Promise<ReadyAnswer> {
  let isGiven = false
  try {
    const decision = decide(request.exchange, call, form, size, status)
    const headers = toHeaders(form, size, decision)
    const { range } = decision
    const length = range === null ? 0 : range.end - range.start
    if (range === null || length === 0 || request.exchange.method === 'HEAD')
      return { send: () => request.respondFile(call, decision.status, headers, nothing, length) }
    const buffer = Buffer.allocUnsafeSlow(Math.min(length, chunkBytes))
    const first = await readFully(handle, buffer, buffer.byteLength, range.start)
    if (first === null) throw new UnavailableError('The file is being changed')
    if (length <= chunkBytes) return { send: () => request.respondFile(call, decision.status, headers, first, length) }
    isGiven = true
    const source = new FileSource(handle, buffer, first, range)
    return {
      send: () => request.streamFile(call, decision.status, headers, source, length),
      drop: async () => void (await source.return()),
    }
  } finally {
    if (!isGiven) await handle.close()
  }
}
