// The blocks of docs_site/database.md and docs_site/transactions.md: drizzle-kit makes the migrations, and the programs run as the pages show.
import { existsSync } from 'node:fs'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type AnyRoute, type Plugin, route } from '@twinwire/core'
import { type Database, type DatabaseApi, withDb } from '@twinwire/core/database'
import { createTestApp } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks, startProgram } from '../support/page-program.ts'
import { runNode } from '../support/run-node.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const page = await readBlocks('database-page')
const { folder } = page
const shown = { sql: shownBlocks(readPage('database'), 'sql'), json: shownBlocks(readPage('database'), 'json') }
const kit = fileURLToPath(new URL('../node_modules/drizzle-kit/bin.cjs', import.meta.url))

async function generate(name: string): Promise<void> {
  const made = await runNode(['--conditions=@twinwire/source', kit, 'generate', `--name=${name}`], { cwd: folder })
  expect(made, made.output).toMatchObject({ code: 0 })
}

/** What a block exports; the names are unique over the blocks. */
async function load<T>(file: string): Promise<T> {
  return import(/* @vite-ignore */ `${folder}/${file}`)
}

describe('the blocks of the pages about the database', () => {
  testBlocks(page)
  beforeAll(async () => {
    await rm(folder, { recursive: true, force: true })
    await writeBlocks(folder, page)
    await generate('authors')
  })

  it('main.ts applies a migration, and the next one after a change', async () => {
    expect(await readFile(`${folder}/drizzle/0000_authors.sql`, 'utf8')).toContain(shown.sql[0])
    const [log = '', answer] = shown.json
    const start = async (migration: string, isFirst: boolean): Promise<void> => {
      const program = startProgram(folder, 'main.ts', { PORT: '0', ENV: 'dev', DATABASE_URL: '' })
      const [url] = await program.find(/^http:\S+$/m)
      const [said] = await program.find(/^\{.*"Migrations were applied"\}$/m)
      expect({ ...JSON.parse(said), time: '' }).toEqual({ ...JSON.parse(log), migrations: [migration], time: '' })
      if (isFirst) {
        expect(said.replace(/"time":"[^"]*"/, '')).toBe(log.replace(/"time":"[^"]*"/, ''))
        const created = await fetch(`${url}/authors`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"name":"Ursula","country":"US"}',
        })
        expect([created.status, await created.text()]).toEqual([201, answer])
      }
      expect(await (await fetch(`${url}/authors`)).text()).toBe(`[${answer}]`)
      expect((await fetch(`${url}/health/ready`)).status).toBe(200)
      await program.end()
    }
    await start('0000_authors', true)
    const status = async () =>
      (await runNode(['--conditions=@twinwire/source', '--import', 'tsx', 'migrate.ts'], { cwd: folder })).output.trim()
    expect(await status()).toBe(shownBlocks(readPage('transactions'), 'text')[0])
    const tables = await readFile(`${folder}/tables.ts`, 'utf8')
    await writeFile(`${folder}/tables.ts`, tables.replace('  title: text()', '  pages: integer(),\n  title: text()'))
    await generate('pages')
    expect((await readFile(`${folder}/drizzle/0001_pages.sql`, 'utf8')).trim()).toBe(shown.sql[1])
    await start('0001_pages', false)
  })

  it('a column that is NOT NULL, and one with another name, are migrated as the page says', async () => {
    const transactions = readPage('transactions')
    const filled = shownBlocks(transactions, 'sql').find((text) => text.includes('"slug"')) ?? ''
    const [, said = ''] = /`failed_migration`: `([^`]+)`/.exec(transactions) ?? []
    const own = await readBlocks('database-page', 'database-page-columns')
    onTestFinished(() => rm(own.folder, { recursive: true, force: true }))
    await writeBlocks(own.folder, own)
    const kitIn = (...args: readonly string[]) =>
      runNode(['--conditions=@twinwire/source', kit, 'generate', ...args], { cwd: own.folder })
    const rewrite = async (file: string, change: (text: string) => string): Promise<void> => {
      const text = await readFile(`${own.folder}/${file}`, 'utf8')
      expect(change(text)).not.toBe(text)
      await writeFile(`${own.folder}/${file}`, change(text))
    }
    const migrateAll = () =>
      runNode(['--conditions=@twinwire/source', '--import', 'tsx', 'migrate.ts'], { cwd: own.folder })
    await kitIn('--name=authors')
    await kitIn('--custom', '--name=rows')
    const rows = `insert into authors (name) values ('Ursula'); --> statement-breakpoint
insert into books ("authorId", title) values (1, 'Rocannon')`
    await writeFile(`${own.folder}/drizzle/0001_rows.sql`, rows)

    await rewrite('tables.ts', (text) => text.replace('  title: text()', '  slug: text().notNull(),\n  title: text()'))
    await kitIn('--name=slug')
    const stopped = await migrateAll()
    expect(stopped.code).toBe(1)
    expect(stopped.output).toContain('failed_migration')
    expect(stopped.output).toContain(said)
    await rewrite('drizzle/0002_slug.sql', () => filled)
    expect(await migrateAll()).toMatchObject({ code: 0, output: expect.stringContaining('0002_slug applied') })
    expect((await kitIn('--name=nothing')).output).toContain('No schema changes')

    const [, rename = ''] = /Write into it `([^`]+)`/.exec(transactions) ?? []
    const [, refusal = ''] = /it says `([^`]+)`, writes nothing/.exec(transactions) ?? []
    await rewrite('tables.ts', (text) => text.replace('  title: text()', '  name: text()'))
    expect(await kitIn('--name=rename')).toMatchObject({ code: 0, output: expect.stringContaining(refusal) })
    expect(existsSync(`${own.folder}/drizzle/0003_rename.sql`)).toBe(false)
    await kitIn('--custom', '--name=rename-title')
    await rewrite('drizzle/0003_rename-title.sql', () => rename)
    expect((await kitIn('--name=again')).output).toContain(refusal)
    await rewrite('drizzle/meta/0003_snapshot.json', (text) => text.replaceAll('"title"', '"name"'))
    expect((await kitIn('--name=nothing')).output).toContain('No schema changes')
    expect(await migrateAll()).toMatchObject({ code: 0, output: expect.stringContaining('0003_rename-title applied') })
  })

  it('repositories and routes do what the pages say', async () => {
    expect(existsSync(`${folder}/drizzle/0000_authors.sql`)).toBe(true)
    const { withMessages } = await load<{ withMessages: (url: string) => Plugin<DatabaseApi> }>('constraints.ts')
    const routes = await Promise.all(
      ['list-authors.ts', 'with-books.ts', 'create-author.ts'].map((file) => load<Record<string, AnyRoute>>(file)),
    )
    const { listAuthors, getAuthorsWithBooks, createAuthorByCommand } = Object.assign({}, ...routes) as {
      readonly [Name in 'listAuthors' | 'getAuthorsWithBooks' | 'createAuthorByCommand']: AnyRoute
    }
    const { frenchAuthors } = await load<{ frenchAuthors: (db: Database) => Promise<readonly object[]> }>('filters.ts')
    const { roleOf } = await load<{ roleOf: (db: Database) => Promise<string> }>('memberships.ts')
    const { audited } = await load<{ audited: () => ReturnType<typeof withDb> }>('audited.ts')
    const app = await createTestApp({
      pkgIds: { CREATE: 1, LIST: 3, BOOKS: 4, FRENCH: 5, ROLE: 6 },
      routes: {
        CREATE: createAuthorByCommand,
        LIST: listAuthors,
        BOOKS: getAuthorsWithBooks,
        FRENCH: route({
          http: 'GET /french',
          use: [withDb(), audited()],
          handler: (_input, { db }) => frenchAuthors(db),
        }),
        ROLE: route({ http: 'GET /role', use: [withDb()], handler: (_input, { db }) => roleOf(db) }),
      },
      plugins: [withMessages('pglite://memory')],
      defaultAccess: 'public',
    })
    onTestFinished(() => app.close())
    const { request } = app
    const create = async (name: string) => {
      const answer = await request('POST /authors', { json: { name } })
      return [answer.status, answer.json()]
    }
    expect(await create('Ursula')).toEqual([201, { id: 1, name: 'Ursula' }])
    const taken = [
      409,
      expect.objectContaining({ error: expect.objectContaining({ msg: "Author with name 'Ursula' already exists" }) }),
    ]
    expect(await create('Ursula')).toEqual(taken)
    expect((await request('GET /authors?name.prefix=urs&sort=-born,name')).json()).toMatchObject({
      items: [{ name: 'Ursula' }],
      meta: { total: 1 },
    })
    expect((await request('GET /authors?country.isNull=true&cursor=')).json()).toMatchObject({ items: [{ id: 1 }] })
    expect((await request('GET /authors?country=FRA&name.contains=x')).status).toBe(422)
    expect((await request('GET /authors/with-books?load=books')).json()).toMatchObject({
      items: [{ name: 'Ursula', books: [] }],
    })
    expect((await request('GET /french')).json()).toEqual([])
    // The call before has been written down.
    expect((await request('GET /authors?name.prefix=audit')).json()).toMatchObject({ meta: { total: 1 } })
    expect((await request('GET /role')).status).toBe(404)
  })

  it('driver.ts serves the migrations of the page', async () => {
    const { embedded } = await load<{ embedded: () => Plugin<DatabaseApi> }>('driver.ts')
    const { getAuthors } = await load<{ getAuthors: AnyRoute }>('authors.ts')
    const app = await createTestApp({
      pkgIds: { GET_AUTHORS: 1 },
      routes: { GET_AUTHORS: getAuthors },
      plugins: [embedded()],
      defaultAccess: 'public',
    })
    onTestFinished(() => app.close())
    expect((await app.request('GET /authors')).json()).toEqual([])
  })

  it('trigrams.ts applies a migration that creates the extension', async () => {
    const made = await runNode(['--conditions=@twinwire/source', kit, 'generate', '--custom', '--name=trigrams'], {
      cwd: folder,
    })
    expect(made, made.output).toMatchObject({ code: 0 })
    const [file = ''] = (await readdir(`${folder}/drizzle`)).filter((name) => name.endsWith('_trigrams.sql'))
    await writeFile(`${folder}/drizzle/${file}`, 'create extension if not exists pg_trgm')
    const code = page.blocks.find(({ name }) => name === 'trigrams.ts')?.code ?? ''
    const url = 'pglite://./.data'
    expect(code).toContain(url)
    await writeFile(`${folder}/trigrams.ts`, code.replace(url, 'pglite://memory'))
    const { withTrigrams } = await load<{ withTrigrams: () => Plugin<DatabaseApi> }>('trigrams.ts')
    const app = await createTestApp({
      pkgIds: { ALIKE: 1 },
      routes: {
        ALIKE: route({
          http: 'GET /alike',
          use: [withDb()],
          handler: async (_input, { db }) => db.execute(sql`select similarity('Ursula', 'Ursula K.') > 0.5 as alike`),
        }),
      },
      plugins: [withTrigrams()],
      defaultAccess: 'public',
    })
    onTestFinished(() => app.close())
    expect((await app.request('GET /alike')).json()).toMatchObject({ rows: [{ alike: true }] })
  })
})
