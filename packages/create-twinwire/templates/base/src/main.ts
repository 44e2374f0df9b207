import { BootError, closeOnSignals } from '@twinwire/core'
import { createNotesApp } from './app.ts'
//: if auth
import { openIssuer } from './issuer.ts'
//: end
import { printWelcome } from './print-welcome.ts'
import { declaredSettings } from './settings.ts'

async function main(): Promise<void> {
  const settings = declaredSettings.read()
  //: if auth
  const issuer = await openIssuer(settings)
  try {
    const app = createNotesApp(settings, issuer.options)
    closeOnSignals(app)
    const { url } = await app.listen(settings.listen)
    // Elsewhere every line of the output is JSON.
    if (settings.environment === 'dev') printWelcome(url, issuer.tokens)
  } catch (error) {
    // It would keep the process alive.
    await issuer.stop()
    throw error
  }
  //: else
  const app = createNotesApp(settings)
  closeOnSignals(app)
  const { url } = await app.listen(settings.listen)
  // Elsewhere every line of the output is JSON.
  if (settings.environment === 'dev') printWelcome(url)
  //: end
}

main().catch((error: unknown) => {
  // The message of a BootError says what to change; other errors need their stack.
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
