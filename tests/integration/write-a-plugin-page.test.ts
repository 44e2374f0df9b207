// The page shows the package of examples/plugin-tenants, whole files of it. `npm run test:outsider` installs, builds and tests that package.
import { readdirSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { App } from '@twinwire/core'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { expect, onTestFinished, test, vi } from 'vitest'
import { readBlocks, writeBlocks } from '../support/page-blocks.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = `${root}/examples/plugin-tenants`
const page = await readBlocks('write-a-plugin')
const { blocks } = page
const shown = blocks.filter(({ name }) => !name.startsWith('example/'))

test.each(shown)('$name is the file', ({ name, code }) => {
  expect(code).toBe(readFileSync(`${folder}/${name}`, 'utf8'))
})

test('every source is shown', () => {
  const sources = readdirSync(`${folder}/src`).map((name) => `src/${name}`)
  expect(sources.filter((name) => !shown.some((block) => block.name === name))).toEqual([])
})

test('package.json is the file', () => {
  const page = readFileSync(`${root}/docs_site/write-a-plugin.md`, 'utf8')
  expect(/```json\n([\s\S]*?)```/.exec(page)?.[1]).toBe(readFileSync(`${folder}/package.json`, 'utf8'))
})

interface Tenants {
  createTenantsDatabase(): Promise<{ url: string; run(statement: string): Promise<unknown>; drop(): Promise<void> }>
}

test.skipIf(!(await hasPostgres()))(
  'example/app.ts shows a user the notes of the tenant of its token',
  async () => {
    onTestFinished(() => rm(page.folder, { recursive: true, force: true }))
    const server = await startPostgres()
    onTestFinished(() => server.stop())
    vi.stubEnv('TEST_DATABASE_URL', server.url)
    onTestFinished(() => void vi.unstubAllEnvs())
    const issuer = await createTestIssuer({ realm: 'app', clientId: 'app', algorithms: ['ES256'] })
    onTestFinished(() => issuer.stop())

    await writeBlocks(page.folder, page)
    const { createTenantsDatabase }: Tenants = await import(`${page.folder}/test/tenants-database.ts`)
    const database = await createTenantsDatabase()
    onTestFinished(() => database.drop())
    await database.run(`insert into notes (tenant, text) values ('red', 'of red'), ('blue', 'of blue')`)
    let code = blocks.find(({ name }) => name === 'example/app.ts')?.code ?? ''
    for (const [from, to] of [
      ['https://sso.example.com/realms/app', issuer.issuer],
      ['postgres://app:secret@127.0.0.1/app', database.url],
    ] as const) {
      expect(code).toContain(from)
      code = code.replace(from, to)
    }
    await writeBlocks(page.folder, { blocks: [{ name: 'example/app.ts', code }] })
    const { app }: { app: App } = await import(`${page.folder}/example/app.ts`)
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const list = async (claims?: object) => {
      const headers: Record<string, string> = {}
      if (claims !== undefined)
        headers['authorization'] = `Bearer ${issuer.token({ username: 'ann' }, { claims: { ...claims } })}`
      const answer = await fetch(`${url}/notes`, { headers })
      return [answer.status, await answer.json()]
    }
    expect(await list({ tenant: 'red' })).toEqual([200, [{ id: 1, tenant: 'red', text: 'of red' }]])
    expect(await list({ tenant: 'blue' })).toEqual([200, [{ id: 2, tenant: 'blue', text: 'of blue' }]])
    expect(await list({ tenant: 'green' })).toEqual([200, []])
    expect(await list()).toMatchObject([401, {}])
    expect(await list({})).toMatchObject([403, {}])
  },
  120_000,
)
