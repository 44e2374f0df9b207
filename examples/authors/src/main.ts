import { BootError, closeOnSignals } from '@twinwire/core'
import { createAuthorsApp, logoutPath, websocketPath } from './app.ts'
import { openIssuer } from './development-issuer.ts'
import { printWelcome } from './print-welcome.ts'
import { declaredSettings } from './settings.ts'

async function main(): Promise<void> {
  const settings = declaredSettings.read()
  const issuer = await openIssuer(settings)
  try {
    const app = createAuthorsApp(settings, issuer.keycloak)
    closeOnSignals(app)
    const { url } = await app.listen(settings.listen)
    issuer.reportLogoutsTo(`${url}${logoutPath}`)
    // The printed commands are for development; in production every line of the output is JSON.
    if (settings.environment !== 'production') printWelcome({ url, websocketPath, issuer })
  } catch (error) {
    // It would keep the process alive.
    await issuer.stop()
    throw error
  }
}

main().catch((error: unknown) => {
  // The message of a BootError says what to change; other errors need their stack.
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
