//: if database
import { createTestDatabase } from '@twinwire/core/database/testing'
//: end
//: if auth
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
//: end
//: if limits
import { rateLimit } from '@twinwire/plugin-ratelimit'
//: end
import { {{database or auth:afterAll, }}beforeEach } from 'vitest'
//: if not database
import { noteRepository } from './features/notes/note.repository.ts'
//: end
import { events, routes, topics } from './features.ts'
//: if auth
import { clientId, developmentUsers, toOptions } from './issuer.ts'
//: end
import { PkgID } from './pkg-ids.ts'

/** Opens what the tests of one file share, and closes it after them. */
export async function openTestKit() {
  //: if database
  const database = await createTestDatabase({ migrations: new URL('../drizzle', import.meta.url) })
  beforeEach(() => database.reset())
  afterAll(() => database.close())
  //: else
  beforeEach(() => noteRepository.clear())
  //: end
  //: if auth
  const issuer = await createTestIssuer({ realm: 'app', clientId, users: developmentUsers })
  afterAll(() => issuer.stop())
  //: end
  return {
    /** Of an app with all features, for `start` of `onTransports`. */
    options: () => ({
      pkgIds: PkgID,
      routes,
      events,
      topics,
      //: if database or auth or limits
      plugins: [
        // Those of src/app.ts that routes need.
        //: if database
        database.plugin,
        //: end
        //: if auth
        auth(toOptions(issuer.issuer)),
        //: end
        //: if limits
        rateLimit(),
        //: end
      ],
      //: end
    }),
    //: if auth
    /** Of a client that has signed in. */
    as: (username: (typeof developmentUsers)[number]['username']) => ({
      headers: { authorization: `Bearer ${issuer.token(username)}` },
    }),
    //: end
  }
}
