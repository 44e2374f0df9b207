import { defineTopics, topic } from '@twinwire/core'
//: if auth
import { requireRoles } from '../../roles.ts'
//: end

export const notesTopic = 'notes'

/** Clients that come back within ten minutes miss nothing. */
export const noteTopics = defineTopics({
  [notesTopic]: topic({
    //: if auth
    use: [requireRoles('read-notes')],
    //: end
    subscribe: true,
    history: { size: 100, ttl: '10m' },
    authorize: () => true,
  }),
})
