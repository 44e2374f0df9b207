// What the command `twinwire` reads. Importing it opens nothing.
import { createNotesApp } from './app.ts'
//: if auth
import { issuerOf, openIssuer } from './issuer.ts'
//: end
import { declaredSettings } from './settings.ts'

/** For `twinwire routes` and `twinwire manifest`: reads no variable of the environment, and needs no service. */
export {{auth:async }}function createDescribedApp() {
  const settings = declaredSettings.read({
    variables: {
      ENV: 'test',
      LOG_LEVEL: 'error',
      //: if database
      DATABASE_URL: 'pglite://memory',
      //: end
      //: if auth
      DEVELOPMENT_ISSUER_PORT: '0',
      //: end
    },
  })
  //: if auth
  const issuer = await openIssuer(settings)
  const app = createNotesApp(settings, issuer.options)
  return {
    app,
    close: async () => {
      await app.close()
      await issuer.stop()
    },
  }
  //: else
  return createNotesApp(settings)
  //: end
}

/** For `twinwire doctor`: with the settings of the environment. It is not started. */
export function createExaminedApp() {
  //: if auth
  const settings = declaredSettings.read()
  return createNotesApp(settings, issuerOf(settings))
  //: else
  return createNotesApp(declaredSettings.read())
  //: end
}
//: if database

/** For `twinwire migrate`. */
export function readMigrateOptions() {
  const { url, pool, connect } = declaredSettings.read().database
  return { url, pool, connect, migrations: new URL('../drizzle', import.meta.url) }
}
//: end
