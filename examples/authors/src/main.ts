import { BootError, closeOnSignals } from '@twinwire/core'
import { createAuthorsApp, websocketPath } from './app.ts'
import { printWelcome } from './print-welcome.ts'
import { declaredSettings } from './settings.ts'

async function main(): Promise<void> {
  const settings = declaredSettings.read()
  const app = createAuthorsApp(settings)
  closeOnSignals(app)
  const { url } = await app.listen(settings.listen)
  printWelcome(url, websocketPath)
}

main().catch((error: unknown) => {
  // A BootError says in a sentence what to change; of anything else the stack is needed.
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
