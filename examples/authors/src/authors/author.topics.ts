import { defineTopics, topic } from '@twinwire/core'
import { requireRoles } from '../roles.ts'

export const authorsTopic = 'authors'

/** Changes of authors, for users who may read them; they also see who else follows. Clients that come back within ten minutes miss nothing. */
export const authorTopics = defineTopics({
  [authorsTopic]: topic({
    use: [requireRoles('get-authors')],
    subscribe: true,
    history: { size: 500, ttl: '10m' },
    presence: (identity) => ({ name: identity?.name ?? null }),
    authorize: () => true,
  }),
})
