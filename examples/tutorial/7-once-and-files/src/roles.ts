import { defineRoles } from '@twinwire/plugin-auth'

/** The roles of this application. A step with another one does not compile. */
export const { requireRoles } = defineRoles(['read-list', 'edit-list'])
