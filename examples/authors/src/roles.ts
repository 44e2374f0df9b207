import { defineRoles } from '@twinwire/plugin-auth'

/** Roles of the client `authors-api` (`deploy/keycloak/realm.json`). A step with another one does not compile. */
export const { requireRoles } = defineRoles(['admin', 'get-authors', 'create-author', 'update-author', 'delete-author'])
