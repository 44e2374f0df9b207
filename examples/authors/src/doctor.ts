import { runDoctor } from '@twinwire/core'

async function create() {
  // Imported here, so that a missing package is a finding and does not end the process.
  const [{ createAuthorsApp }, { issuerOf }, { declaredSettings }] = await Promise.all([
    import('./app.ts'),
    import('./development-issuer.ts'),
    import('./settings.ts'),
  ])
  const settings = declaredSettings.read()
  return createAuthorsApp(settings, issuerOf(settings))
}

runDoctor(create).catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
