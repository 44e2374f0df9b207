import process from 'node:process'
import { closeOnSignals } from '@twinwire/core'
import { createShoppingApp } from './app.ts'

const app = createShoppingApp()
closeOnSignals(app)
const { url } = await app.listen({ port: Number(process.env.PORT ?? 8000) })
console.log(`Listening on ${url}`)
