// `npm run keycloak -- install`: the distribution, from Maven Central into the cache, for the tests.
// `npm run keycloak`: that Keycloak with the realm of the example, until Ctrl+C; PORT is 8080 if not said.
import { constants } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { installDistribution } from '../tests/support/keycloak-distribution.ts'
import { startKeycloakServer } from '../tests/support/keycloak-server.ts'
import { endWithParent } from './end-with-parent.mjs'

let isRunning = false
// From the first moment on: what has been started, and its files, go with this process, which `process.exit` tells them.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => process.exit(isRunning ? 0 : 128 + constants.signals[signal]))
endWithParent('keycloak')

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
  isRunning = true
  await server.ended
  console.error('Keycloak has ended by itself.')
  process.exitCode = 1
  await server.stop()
}
