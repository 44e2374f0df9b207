import { defineRoles } from '@twinwire/plugin-auth'

/** Roles of the client of this application. A step with another one does not compile. */
export const { requireRoles } = defineRoles(['read-notes', 'write-notes'])
