import { BootError, closeOnSignals } from '@twinwire/core'
import { cluster } from '@twinwire/core/cluster'
import { clusterMetrics } from '@twinwire/plugin-metrics'
import { createAuthorsApp, logoutPath, websocketPath } from './app.ts'
import { openIssuer } from './development-issuer.ts'
import { printWelcome } from './print-welcome.ts'
import { declaredSettings, isDevelopmentIn, type Settings } from './settings.ts'

/** Beyond the drain of an app, for its plugins to close. */
const closeMs = 20_000

async function main(): Promise<void> {
  const settings = declaredSettings.read()
  // With WORKERS=1, the default, it calls `serve` in this process and does nothing else.
  await cluster({
    ...settings.cluster,
    environment: settings.environment,
    log: settings.log,
    drainTimeoutMs: settings.lifecycle.drainDelayMs + settings.lifecycle.drainTimeoutMs + closeMs,
    metrics: clusterMetrics(),
    run: () => serve(settings),
  })
}

async function serve(settings: Settings): Promise<void> {
  const issuer = await openIssuer(settings)
  try {
    const app = createAuthorsApp(settings, issuer.keycloak, issuer.development)
    closeOnSignals(app)
    const { url } = await app.listen(settings.listen)
    issuer.reportLogoutsTo(`${url}${logoutPath}`)
    // The printed commands are for development; elsewhere every line of the output is JSON.
    if (isDevelopmentIn(settings.environment) && settings.cluster.workers === 1)
      printWelcome({ url, websocketPath, issuer })
  } catch (error) {
    // It would keep the process alive.
    await issuer.stop()
    throw error
  }
}

main().catch((error: unknown) => {
  // The message of a BootError says what to change; other errors need their stack.
  console.error(error instanceof BootError ? error.message : error)
  process.exitCode = 1
})
