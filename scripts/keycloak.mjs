// `npm run keycloak -- install`: the distribution, from Maven Central into the cache, for the tests.
// `npm run keycloak`: that Keycloak with the realm of the example, until Ctrl+C; PORT is 8080 if not said.
import { once } from 'node:events'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { installDistribution } from '../tests/support/keycloak-distribution.ts'
import { startKeycloakServer } from '../tests/support/keycloak-server.ts'

const [command = 'start'] = process.argv.slice(2)
const distribution = await installDistribution()
console.log(`Keycloak lies in ${distribution}`)
if (command === 'start') {
  const realm = fileURLToPath(new URL('../examples/authors/deploy/keycloak/realm.json', import.meta.url))
  const admin = { username: 'admin', password: 'admin' }
  const server = await startKeycloakServer({
    distribution,
    realms: [realm],
    admin,
    port: Number(process.env.PORT || 8080),
  })
  console.log(`
Keycloak for development: ${server.url}/admin (admin, admin); it forgets everything when it ends.

Start the example with it, in another terminal:
  KEYCLOAK_BASE_URL=${server.url} KEYCLOAK_REALM=authors KEYCLOAK_CLIENT_ID=authors-api npm start

Ctrl+C stops it.`)
  await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
  await server.stop()
}
