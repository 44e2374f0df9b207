import process from 'node:process'
import { BootError, closeOnSignals } from '@twinwire/core'
import { createShoppingApp } from './app.ts'
import { openIssuer } from './issuer.ts'
import { declaredSettings } from './settings.ts'

async function main(): Promise<void> {
  const settings = declaredSettings.read()
  const issuer = await openIssuer(settings)
  const app = createShoppingApp(settings, issuer.options)
  closeOnSignals({
    async close() {
      await app.close()
      await issuer.stop()
    },
  })
  const { url } = await app.listen(settings.listen)
  for (const [name, token] of issuer.tokens)
    console.log(`  ${name}  ${token}\n  page of ${name}  ${url}/#token=${token}`)
  console.log(`Listening on ${url}`)
}

main().catch((error: unknown) => {
  // The message of a BootError says what to change; other errors need their stack.
  console.error(error instanceof BootError ? error.message : error)
  process.exit(1)
})
