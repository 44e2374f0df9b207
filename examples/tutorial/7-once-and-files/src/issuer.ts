import { BootError } from '@twinwire/core'
import type { AuthOptions } from '@twinwire/plugin-auth'
import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import type { Settings } from './settings.ts'

/** What this application is called at its issuer. */
export const clientId = 'shopping-list'

export const developmentUsers = [
  { username: 'ann', roles: ['read-list', 'edit-list'] },
  { username: 'bob', roles: ['read-list'] },
] as const

/** An issuer inside this process. It gives any token to any caller of its port, so it is for development alone. */
export async function openDevelopmentIssuer({ environment, issuer }: Settings): Promise<TestIssuer> {
  if (environment !== 'dev' && environment !== 'test')
    throw new BootError('bad_option', `The issuer of development cannot be used in ${environment}`)
  return createTestIssuer({
    realm: 'app',
    clientId,
    users: developmentUsers,
    port: issuer.port,
    algorithms: ['ES256'],
    // Its keys, so that tokens outlive a restart. Keep the file out of the repository.
    keysFile: '.issuer-keys.json',
  })
}

/** For `auth()`. */
export function toAuthOptions({ issuer }: TestIssuer): AuthOptions {
  return { issuer, audience: clientId, clientId }
}
