import { runDoctor } from '@twinwire/core'

async function create() {
  // Imported here, so that a package which one of them does not find is a finding and not the end.
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
