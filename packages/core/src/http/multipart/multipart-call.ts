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

/** The call has ended. What its handler still reads ends with the body. `removals` has the removal of its temporary files while it lasts. */
export function closeMultipart(call: ActiveCall, removals: Set<Promise<void>>): void {
  const body = bodies.get(call)
  if (body === undefined) return
  bodies.delete(call)
  const { log } = call.services
  const removal: Promise<void> = body
    .close()
    .catch((error: unknown) => log.error({ err: error }, 'The temporary files of a call could not be removed'))
    .finally(() => removals.delete(removal))
  removals.add(removal)
  call.services.track(removal)
}
