import { defineTopics, topic } from '@twinwire/core'
import { requireRoles } from '../roles.ts'

export const listTopic = 'list'

export const topics = defineTopics({
  [listTopic]: topic({
    use: [requireRoles('read-list')],
    // Clients may ask for it.
    subscribe: true,
    // A client that comes back within ten minutes misses nothing.
    history: { size: 100, ttl: '10m' },
    // What the others see of a member.
    presence: (identity) => ({ name: identity?.name ?? null }),
    authorize: () => true,
  }),
})
