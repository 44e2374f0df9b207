// A block of docs_site/steps.md that its commands do not run: a check in the transaction of the handler.
import type { AnyRoute } from '@twinwire/core'
import { type Database, database } from '@twinwire/core/database'
import { onTransports } from '@twinwire/core/testing'
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { sql } from 'drizzle-orm'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('steps', 'steps-page')

describe('the blocks of the page about steps', () => {
  testBlocks(page)

  onTransports({ describe, afterEach }, ({ start }) => {
    it('own-author.ts lets the owner rename an author', async () => {
      const { renameAuthor }: { renameAuthor: AnyRoute } = await import(`${page.folder}/own-author.ts`)
      const issuer = await createTestIssuer({ algorithms: ['ES256'] })
      onTestFinished(() => issuer.stop())
      let opened: Database | undefined
      const { request, client } = await start({
        pkgIds: { RENAME_AUTHOR: 1 },
        routes: { RENAME_AUTHOR: renameAuthor },
        plugins: [
          auth({ issuer: issuer.issuer, audience: issuer.audience, clientId: issuer.clientId }),
          database({
            url: 'pglite://memory',
            onStart: async (db) => {
              opened = db
              await db.execute(
                sql`create table authors (id serial primary key, name text not null, "ownerId" text not null, books int)`,
              )
              await db.execute(sql`insert into authors (name, "ownerId") values ('Ursula', 'u-ada')`)
            },
          }),
        ],
      })
      const as = (id: string) => ({ headers: { authorization: `Bearer ${issuer.token({ username: id, id })}` } })
      const [ada, bob] = [as('u-ada'), as('u-bob')]
      const json = { name: 'Octavia' }
      const stored = () => opened?.execute(sql`select name, books from authors`)

      expect((await request('PUT /authors/1', { json })).status).toBe(401)
      expect((await request('PUT /authors/1', { json, ...bob })).status).toBe(403)
      expect((await request('PUT /authors/2', { json, ...ada })).status).toBe(404)
      const stranger = await client(bob)
      await expect(stranger.call('RENAME_AUTHOR', { id: 1, name: 'Eve' })).rejects.toMatchObject({
        code: 'permission_denied',
      })
      expect(await stored()).toMatchObject({ rows: [{ name: 'Ursula', books: null }] })

      const renamed = await request('PUT /authors/1', { json, ...ada })
      expect([renamed.status, renamed.json()]).toEqual([200, { id: 1, name: 'Octavia' }])
      const owner = await client(ada)
      expect(await owner.call('RENAME_AUTHOR', { id: 1, name: 'Joanna' })).toEqual({ id: 1, name: 'Joanna' })
      expect(await stored()).toMatchObject({ rows: [{ name: 'Joanna', books: null }] })
    })
  })
})
