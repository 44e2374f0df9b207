import { runDoctor } from '@twinwire/core'

async function create() {
  // Imported here, so that a package which one of them does not find is a finding and not the end.
  const [{ createAuthorsApp }, { declaredSettings }] = await Promise.all([import('./app.ts'), import('./settings.ts')])
  return createAuthorsApp(declaredSettings.read())
}

runDoctor(create).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
