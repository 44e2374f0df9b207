import { closeOnSignals } from '@twinwire/core'
import { createShoppingApp } from './app.ts'
import { declaredSettings } from './settings.ts'

const settings = declaredSettings.read()
const app = createShoppingApp(settings)
closeOnSignals(app)
const { url } = await app.listen(settings.listen)
console.log(`Listening on ${url}`)
