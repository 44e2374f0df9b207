import type { ActiveCall } from '../../call/active-call.ts'
import type { QueryRecord } from '../../call/call.ts'
import type { MultipartLimits } from '../../call/multipart-file.ts'
import type { RequestBody } from '../../call/request-body.ts'
import type { CreateDicer } from './dicer.ts'
import { MultipartBody } from './multipart-body.ts'

/** Of calls that have not ended. */
const bodies = new WeakMap<ActiveCall, MultipartBody>()

/** Reads the fields of a multipart body and passes them to `next`. The handler gets the files. What is wrong with the body fails the call. */
export function readMultipart(
  call: ActiveCall,
  body: RequestBody,
  limits: MultipartLimits,
  createDicer: CreateDicer,
  next: (fields: QueryRecord) => void,
): void {
  const read = async (): Promise<void> => {
    const { contentType } = body
    const multipart = new MultipartBody({ contentType, body, limits, createDicer, listener: call })
    bodies.set(call, multipart)
    const fields = await multipart.readFields()
    if (call.settled) return
    Object.assign(call, { files: multipart })
    next(fields)
  }
  read().catch((error: unknown) => call.fail(error))
}

/** The call has ended. What its handler still reads ends with the body. */
export function closeMultipart(call: ActiveCall): void {
  const body = bodies.get(call)
  if (body === undefined) return
  bodies.delete(call)
  call.services.track(body.close())
}
