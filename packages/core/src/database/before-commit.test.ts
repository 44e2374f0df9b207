import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type Database, type DatabaseApi, database, databaseKey, transaction, withDb } from '../database.ts'
import { ConflictError, guard, route } from '../index.ts'
import { createTestApp } from '../testing.ts'

interface Commits {
  readonly hook: (tx: Database) => Promise<(() => void) | undefined>
}

describe('beforeCommit', () => {
  let close = async (): Promise<void> => {}
  afterEach(() => close())

  /** Routes whose transactions note what they do in the table `notes`. */
  async function start({ hook }: Commits) {
    let api: DatabaseApi | null = null
    const hooked = guard({
      name: 'hooked',
      needs: databaseKey,
      bind: (bound) => {
        api = bound
        return (call) => bound.beforeCommit(call, hook)
      },
    })
    const input = v.object({ fails: v.optional(v.boolean(), false) })
    const note = (db: Database, text: string) => db.execute(sql`insert into notes values (${text})`)
    const routes = {
      WRITE: route({
        http: 'POST /write',
        access: 'public',
        use: [hooked, transaction({ retries: 1 })],
        input,
        handler: async ({ fails }, { db }) => {
          await note(db, 'handler')
          await db.transaction((inner) => note(inner, 'savepoint'))
          if (fails) throw new ConflictError()
        },
      }),
      READ: route({
        http: 'POST /read',
        access: 'public',
        use: [hooked, transaction({ readOnly: true })],
        handler: async (_input, { db }) => void (await db.execute(sql`select 1`)),
      }),
      NONE: route({ http: 'POST /none', access: 'public', use: [hooked, withDb()], handler: () => {} }),
    }
    const test = await createTestApp({
      pkgIds: { WRITE: 1, READ: 2, NONE: 3 },
      routes,
      plugins: [
        database({
          url: 'pglite://memory',
          onStart: async (db) => void (await db.execute(sql`create table notes (text text)`)),
        }),
      ],
    })
    close = test.close
    const notes = async (): Promise<readonly unknown[]> => {
      const result: unknown = await api?.db.execute(sql`select text from notes`)
      return Object(result).rows.map(({ text }: { readonly text: string }) => text)
    }
    return { ...test, notes, note }
  }

  it('writes last in the transaction, once for all savepoints, and is informed of the commit', async () => {
    let committed = 0
    const { request, notes } = await start({
      hook: async (tx) => {
        await tx.execute(sql`insert into notes values ('last')`)
        return () => void committed++
      },
    })
    expect((await request('POST /write', { json: {} })).status).toBe(204)
    expect(await notes()).toEqual(['handler', 'savepoint', 'last'])
    expect(committed).toBe(1)
  })

  it('is left out of a transaction that rolls back, that only reads, and where there is none', async () => {
    let runs = 0
    const { request, notes } = await start({
      hook: async () => {
        runs++
        return undefined
      },
    })
    expect((await request('POST /write', { json: { fails: true } })).status).toBe(409)
    expect((await request('POST /read', { json: {} })).status).toBe(204)
    expect((await request('POST /none', { json: {} })).status).toBe(204)
    expect([runs, await notes()]).toEqual([0, []])
  })

  it('has committed, whatever is thrown after the COMMIT', async () => {
    const { request, notes, logs } = await start({
      hook: async () => () => {
        throw new Error('after')
      },
    })
    expect((await request('POST /write', { json: {} })).status).toBe(204)
    expect(await notes()).toEqual(['handler', 'savepoint'])
    expect(logs.map(({ message }) => message)).toContain('A hook after the COMMIT failed')
  })

  it('rolls back when it fails', async () => {
    const { request, notes } = await start({ hook: () => Promise.reject(new ConflictError('No note')) })
    expect((await request('POST /write', { json: {} })).status).toBe(409)
    expect(await notes()).toEqual([])
  })

  it('runs in each attempt, and what it returned in a failed one does not', async () => {
    const committed: number[] = []
    let attempt = 0
    const { request, notes } = await start({
      hook: async (tx) => {
        const own = ++attempt
        if (own === 1) await tx.execute(sql`do $$ begin raise exception using errcode = '40001'; end $$`)
        return () => void committed.push(own)
      },
    })
    expect((await request('POST /write', { json: {} })).status).toBe(204)
    expect([committed, await notes()]).toEqual([[2], ['handler', 'savepoint']])
  })
})
