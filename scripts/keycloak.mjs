// `npm run keycloak -- install` downloads the distribution from Maven Central into the cache, for the tests.
// `npm run keycloak` runs it with the realm of the example until Ctrl+C, on PORT or 8080.
import { constants } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { installDistribution } from '../tests/support/keycloak-distribution.ts'
import { startKeycloakServer } from '../tests/support/keycloak-server.ts'
import { endWithParent } from './end-with-parent.mjs'

let isRunning = false
// From the start: on `process.exit` everything that was started is stopped, and its files are deleted.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.once(signal, () => process.exit(isRunning ? 0 : 128 + constants.signals[signal]))
endWithParent('keycloak')

const [command = 'start'] = process.argv.slice(2)
const distribution = await installDistribution()
console.log(`Keycloak is in ${distribution}`)
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
Keycloak for development: ${server.url}/admin (admin, admin); all data is lost when it stops.

To run the example with it, in another terminal:
  KEYCLOAK_BASE_URL=${server.url} KEYCLOAK_REALM=authors KEYCLOAK_CLIENT_ID=authors-api npm start

Ctrl+C stops it.`)
  isRunning = true
  await server.ended
  console.error('Keycloak has exited unexpectedly.')
  process.exitCode = 1
  await server.stop()
}
