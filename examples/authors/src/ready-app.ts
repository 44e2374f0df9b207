import { createAuthorsApp } from './app.ts'
import { openIssuer } from './development-issuer.ts'
import { declaredSettings } from './settings.ts'

/** Reads the app when its plugins are set up: they add endpoints and guards. It listens on nothing. */
export async function readReadyApp<T>(read: (app: ReturnType<typeof createAuthorsApp>) => T): Promise<T> {
  const settings = declaredSettings.read({
    variables: { ENV: 'test', DATABASE_URL: 'pglite://memory', LOG_LEVEL: 'error', DEVELOPMENT_ISSUER_PORT: '0' },
  })
  const issuer = await openIssuer(settings)
  const app = createAuthorsApp(settings, issuer.keycloak, issuer.development)
  try {
    await app.ready()
    return read(app)
  } finally {
    await app.close()
    await issuer.stop()
  }
}
