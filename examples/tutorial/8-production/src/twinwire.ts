// What the command `twinwire` reads.
import { createShoppingApp } from './app.ts'
import { openIssuer } from './issuer.ts'
import { declaredSettings } from './settings.ts'

/** The app, with everything inside this process, whatever the environment says. */
export async function createDescribedApp() {
  const settings = declaredSettings.read({
    variables: { ENV: 'test', DATABASE_URL: 'pglite://memory', DEVELOPMENT_ISSUER_PORT: '0' },
  })
  const issuer = await openIssuer(settings)
  const app = createShoppingApp(settings, issuer.options)
  return {
    app,
    async close() {
      await app.close()
      await issuer.stop()
    },
  }
}
