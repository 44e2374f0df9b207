// What the command `twinwire` calls. Importing this file opens nothing.
import { createAuthorsApp } from './app.ts'
import { issuerOf, openIssuer } from './development-issuer.ts'
import { declaredSettings } from './settings.ts'

/** For `twinwire routes` and `twinwire manifest`: everything is inside this process, and no variable of the environment is read. */
export async function createDescribedApp() {
  const settings = declaredSettings.read({
    variables: { ENV: 'test', DATABASE_URL: 'pglite://memory', LOG_LEVEL: 'error', DEVELOPMENT_ISSUER_PORT: '0' },
  })
  const issuer = await openIssuer(settings)
  const app = createAuthorsApp(settings, issuer.keycloak, issuer.development)
  return { app, close: () => issuer.stop() }
}

/** For `twinwire doctor`: with the settings of the environment. It is not started. */
export function createExaminedApp() {
  const settings = declaredSettings.read()
  return createAuthorsApp(settings, issuerOf(settings))
}

/** For `twinwire migrate`. */
export function readMigrateOptions() {
  const { url, pool, connect } = declaredSettings.read().database
  return { url, pool, connect, migrations: new URL('../drizzle', import.meta.url), embeddedExtensions: ['pg_trgm'] }
}
