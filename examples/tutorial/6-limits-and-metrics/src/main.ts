import { closeOnSignals } from '@twinwire/core'
import { createShoppingApp } from './app.ts'
import { developmentUsers, openDevelopmentIssuer, toAuthOptions } from './issuer.ts'
import { declaredSettings } from './settings.ts'

const settings = declaredSettings.read()
const issuer = await openDevelopmentIssuer(settings)
const app = createShoppingApp(settings, toAuthOptions(issuer))
closeOnSignals({
  async close() {
    await app.close()
    await issuer.stop()
  },
})
const { url } = await app.listen(settings.listen)
console.log('Tokens for twelve hours:')
for (const { username } of developmentUsers) {
  const token = issuer.token(username, { lifetimeMs: 12 * 3_600_000 })
  console.log(`  ${username}  ${token}\n  page of ${username}  ${url}/#token=${token}`)
}
console.log(`Listening on ${url}`)
