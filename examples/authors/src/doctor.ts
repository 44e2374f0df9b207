import { runDoctor } from '@twinwire/core'
import { createAuthorsApp } from './app.ts'
import { declaredSettings } from './settings.ts'

runDoctor(() => createAuthorsApp(declaredSettings.read())).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
