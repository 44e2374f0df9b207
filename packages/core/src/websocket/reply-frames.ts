import { coreError } from '../errors/app-error.ts'
import type { RequestFrame } from './client-frames.ts'
import { takeAnswer } from './questions.ts'

/**
 * `{"type":"cancel","req_id":"…"}` ends a streamed reply: its last package has the code `cancelled`. Does nothing for a reply that has ended
 * already, for one that is not known, and for a call whose reply is not a stream.
 */
export const cancelFrame: RequestFrame = {
  idField: 'req_id',
  servesWhileDraining: true,
  endsCalls: true,
  handle({ id, peer }) {
    for (const call of peer.running)
      if (call.id === id && call.compiled.streams) void call.failEarly(coreError('cancelled'))
    return null
  },
}

/**
 * `{"type":"answer","req_id":"…","data":…}` answers an event that asks. An answer that does not fit is an `error` frame with the `req_id` as
 * its `id`, and ends the question; one that nothing waits for is ignored: it came too late.
 */
export const answerFrame: RequestFrame = {
  idField: 'req_id',
  servesWhileDraining: true,
  endsCalls: true,
  async handle({ id, peer, fields }) {
    const error = await takeAnswer(peer, String(id), fields.data)
    if (error !== null) throw error
    return null
  },
}
