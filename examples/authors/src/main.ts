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
    issuer.tellLogoutsTo(`${url}${logoutPath}`)
    // Its commands are for development, and in production every line of the output is one of JSON.
    if (settings.environment !== 'production') printWelcome({ url, websocketPath, issuer })
  } catch (error) {
    // It would keep a process alive that serves nothing.
    await issuer.stop()
    throw error
  }
}

main().catch((error: unknown) => {
  // A BootError says in a sentence what to change; of anything else the stack is needed.
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
