import { BootError, createApp } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { tenants } from '../src/index.ts'
import { byClaim, notesApp } from './notes-app.ts'
import { createTenantsDatabase, type TenantsDatabase } from './tenants-database.ts'

let data: TenantsDatabase
beforeAll(async () => {
  data = await createTenantsDatabase()
})
afterAll(() => data.drop())

async function bootError(): Promise<unknown> {
  const app = createApp({ ...notesApp(data.url, tenants(byClaim)), environment: 'test', log: 'silent' })
  try {
    await app.ready()
    return null
  } catch (error) {
    return error
  } finally {
    await app.close()
  }
}

describe('the app does not start', () => {
  const undo: string[] = []
  afterEach(async () => {
    for (const statement of undo.splice(0)) await data.run(statement)
  })

  it.each<[string, (role: string) => readonly [does: string, undoes: string][], string, RegExp]>([
    [
      'as a superuser',
      (role) => [[`alter role ${role} superuser`, `alter role ${role} nosuperuser`]],
      'tenants.unsafe_role',
      /is a superuser, so PostgreSQL shows it the rows of all tenants: connect as another role$/,
    ],
    [
      'as a role with BYPASSRLS',
      (role) => [[`alter role ${role} bypassrls`, `alter role ${role} nobypassrls`]],
      'tenants.unsafe_role',
      /has BYPASSRLS/,
    ],
    [
      'without row-level security',
      () => [['alter table notes disable row level security', 'alter table notes enable row level security']],
      'tenants.unprotected_table',
      /^tenants\(\): the table "notes" has no row-level security/,
    ],
    [
      'as the owner, whom policies do not bind',
      (role) => [
        [`alter table notes owner to ${role}`, 'alter table notes owner to current_user'],
        ['alter table notes no force row level security', 'alter table notes force row level security'],
      ],
      'tenants.unprotected_table',
      /belongs to the role of the app/,
    ],
    [
      'where the owner is not bound by policies',
      () => [['alter table notes no force row level security', 'alter table notes force row level security']],
      'tenants.unprotected_table',
      /does not force row-level security/,
    ],
    [
      'without a policy',
      () => [
        [
          'drop policy notes_tenant on notes',
          'create policy notes_tenant on notes using (tenant = (select app_tenant())) with check (tenant = (select app_tenant()))',
        ],
      ],
      'tenants.unprotected_table',
      /has no policy/,
    ],
    [
      'with a policy for another role only',
      () => [['alter policy notes_tenant on notes to current_user', 'alter policy notes_tenant on notes to public']],
      'tenants.unprotected_table',
      /has no policy for the role of the app/,
    ],
    [
      'with another policy, which permits all rows',
      () => [['create policy support on notes for select using (true)', 'drop policy support on notes']],
      'tenants.unprotected_table',
      /has the policy support, which adds rows to those of the tenant: drop it, or make it restrictive$/,
    ],
    [
      'with a policy of tenants that permits more',
      () => [
        [
          'create policy shared on notes using (tenant = (select app_tenant()) or text is null)',
          'drop policy shared on notes',
        ],
      ],
      'tenants.unprotected_table',
      /has the policy shared/,
    ],
    [
      'with a policy that lets a tenant write the rows of all',
      () => [
        [
          'create policy moved on notes using (tenant = (select app_tenant())) with check (true)',
          'drop policy moved on notes',
        ],
      ],
      'tenants.unprotected_table',
      /has the policy moved/,
    ],
    [
      'without the table',
      () => [['alter table notes rename to old_notes', 'alter table old_notes rename to notes']],
      'tenants.unprotected_table',
      /is missing: apply the migrations$/,
    ],
  ])('%s', async (_name, changes, code, message) => {
    for (const [does, undoes] of changes(data.role)) {
      await data.run(does)
      undo.push(undoes)
    }
    const error = await bootError()
    expect(error).toBeInstanceOf(BootError)
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) })
  })

  it('unless all is as it should be, or row-level security is forced on the owner', async () => {
    expect(await bootError()).toBeNull()
    await data.run(`alter table notes owner to ${data.role}`)
    undo.push('alter table notes owner to current_user')
    expect(await bootError()).toBeNull()
  })

  it('unless another policy restricts rows, or is for another role', async () => {
    await data.run('create policy written on notes as restrictive using (text is not null)')
    undo.push('drop policy written on notes')
    await data.run('create policy reports on notes to current_user using (true)')
    undo.push('drop policy reports on notes')
    expect(await bootError()).toBeNull()
  })
})

it('is not ready once a table is not isolated any more', async () => {
  const app = await createTestApp({
    ...notesApp(data.url, tenants(byClaim)),
    health: { cacheMs: 0 },
  })
  expect((await app.request('GET /health/ready')).status).toBe(200)
  await data.run('alter table notes disable row level security')
  expect(await app.request('GET /health/ready')).toMatchObject({ status: 503 })
  await data.run('alter table notes enable row level security')
  await app.close()
})
