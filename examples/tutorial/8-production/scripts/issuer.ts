// The issuer of development in a process of its own: it takes the place of a Keycloak, to try production on this machine.
import process from 'node:process'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { clientId, developmentUsers } from '../src/issuer.ts'

const port = Number(process.env.DEVELOPMENT_ISSUER_PORT ?? 8081)
const issuer = await createTestIssuer({ realm: 'app', clientId, users: developmentUsers, port })
process.once('SIGTERM', () => void issuer.stop())
for (const { username } of developmentUsers)
  console.log(`  ${username}  ${issuer.token(username, { lifetimeMs: 12 * 3_600_000 })}`)
console.log(`Listening on ${issuer.url}`)
