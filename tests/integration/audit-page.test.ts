// The blocks of docs_site/audit.md and docs_site/audit-logs.md, with the table that drizzle-kit makes of them.
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { type AnyRoute, type App, PermissionDeniedError, route } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { createTestApp, fakeIdentity } from '@twinwire/core/testing'
import { audit } from '@twinwire/plugin-audit'
import { createTestIssuer, type TestIssuer } from '@twinwire/plugin-auth/testing'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks } from '../support/page-program.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { runNode } from '../support/run-node.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const project = await readBlocks('audit-page')
/** The migrations of the apps are in `../drizzle`. */
const page = { ...project, folder: `${project.folder}/src` }
const migrations = `${project.folder}/drizzle`
const kit = fileURLToPath(new URL('../node_modules/drizzle-kit/bin.cjs', import.meta.url))
const postgresThere = await hasPostgres()
/** Of a batch: one second after its first row. */
const patient = { timeout: 30_000, interval: 50 }

async function generate(schema: string, out: string, args: string): Promise<string> {
  const config = `export default { dialect: 'postgresql', schema: './src/${schema}', out: './${out}' }`
  await writeFile(`${project.folder}/drizzle.config.ts`, config)
  const made = await runNode(['--conditions=@twinwire/source', kit, 'generate', ...args.split(' ')], {
    cwd: project.folder,
  })
  expect(made, made.output).toMatchObject({ code: 0 })
  const files = (await readdir(`${project.folder}/${out}`)).filter((name) => name.endsWith('.sql')).sort()
  return `${project.folder}/${out}/${files.at(-1)}`
}

/** Imports a block, with what it names replaced by what is here. */
async function load<T>(file: string, replaced: Readonly<Record<string, string>>): Promise<T> {
  let code = page.blocks.find(({ name }) => name === file)?.code ?? ''
  for (const [from, to] of Object.entries(replaced)) {
    expect(code).toContain(from)
    code = code.replaceAll(from, to)
  }
  await writeFile(`${page.folder}/${file}`, code)
  return import(/* @vite-ignore */ `${page.folder}/${file}`)
}

async function listen(app: App) {
  const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => app.close())
  return async (target: string, token: string, json?: object) => {
    const [method = '', path = ''] = target.split(' ')
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token !== '' && { authorization: `Bearer ${token}` }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      body: json === undefined ? null : JSON.stringify(json),
    })
    return { status: answer.status, headers: answer.headers, body: await answer.json() }
  }
}

describe('the blocks of the pages about the audit log', () => {
  testBlocks(page)

  let issuer: TestIssuer
  beforeAll(async () => {
    issuer = await createTestIssuer({ realm: 'main', clientId: 'api', algorithms: ['ES256'] })
    // As the page says.
    const [commands = ''] = shownBlocks(readPage('audit-logs'), 'sh')
    const [, custom = '', statement = '', table = ''] =
      /generate (--custom \S+) +# write into it: (.+)\n.*generate (.+)$/.exec(commands) ?? []
    await writeFile(await generate('tables.ts', 'drizzle', custom), statement)
    await generate('tables.ts', 'drizzle', table)
  })
  afterAll(async () => {
    await issuer.stop()
    await rm(project.folder, { recursive: true, force: true })
  })

  const token = (username: string, ...roles: string[]) => issuer.token({ username, id: `u-${username}`, roles })

  it('audit-schema.ts has the table of tables.ts', async () => {
    const sql = await readFile(await generate('audit-schema.ts', 'other', '--name=audit'), 'utf8')
    expect(sql).toContain('CREATE TABLE "user_actions"')
    expect(await readFile(`${migrations}/0001_audit.sql`, 'utf8')).toBe(sql)
  })

  it('app.ts shows the log to those with the role', async () => {
    vi.stubEnv('DATABASE_URL', 'pglite://memory')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { app } = await load<{ app: App }>('app.ts', { 'https://sso.example.com/realms/main': issuer.issuer })
    const send = await listen(app)
    expect((await send('GET /audit-logs', '')).status).toBe(401)
    expect((await send('GET /audit-logs', token('bob'))).status).toBe(403)
    await expect
      .poll(
        async () => Object((await send('GET /audit-logs?outcome=permission_denied', token('ada', 'admin'))).body),
        patient,
      )
      .toMatchObject({
        items: [
          { username: 'bob', user_id: 'u-bob', response_status: 403, resource: '/audit-logs' },
          { username: null, response_status: 401, action_type: 'GET' },
        ],
        meta: { total: 2, per_page: 20 },
      })
    // Reading is a call like any other.
    await expect
      .poll(async () => {
        const { headers, body } = await send('GET /audit-logs/user/u-ada?cursor=', token('ada', 'admin'))
        expect(headers.get('cache-control')).toBe('no-store')
        return Object(body).items.length
      }, patient)
      .toBeGreaterThan(0)
  })

  it.skipIf(!postgresThere)(
    'recorded-app.ts has the row of a payment, or of its refusal, before the answer',
    async () => {
      const server = await startPostgres()
      onTestFinished(() => server.stop())
      const sql = postgres(server.url, { max: 1, onnotice: () => {} })
      onTestFinished(() => sql.end())
      const { app } = await load<{ app: App }>('recorded-app.ts', {
        'postgres://127.0.0.1/app': server.url,
        'https://sso.example.com/realms/main': issuer.issuer,
        '/var/spool/app': `${project.folder}/spool`,
      })
      const send = await listen(app)
      const json = { to: 'bob', amount: 5, card_token: 'tok_4242' }
      const rows = () =>
        sql`select username, user_roles, action_type, resource, outcome, response_status, request_data from user_actions order by id`
      const row = { action_type: 'POST', resource: '/payments', username: 'ada' }
      const answers = [
        { who: token('ada', 'pay'), sent: json, status: 200, outcome: 'success' },
        { who: token('ada'), sent: json, status: 403, outcome: 'permission_denied' },
        { who: token('ada', 'pay'), sent: { to: 'bob' }, status: 422, outcome: 'error' },
      ]
      for (const [i, { who, sent, status, outcome }] of answers.entries()) {
        expect((await send('POST /payments', who, sent)).status).toBe(status)
        // Without waiting for a batch.
        const stored = await rows()
        expect(stored).toHaveLength(i + 1)
        expect(stored[i]).toMatchObject({ ...row, outcome, response_status: status })
      }
      expect((await rows())[0]).toMatchObject({
        user_roles: expect.arrayContaining(['pay']),
        request_data: { to: 'bob', amount: 5, card_token: '[REDACTED]' },
      })
      expect((await send('GET /audit-logs', token('ada', 'pay'))).status).toBe(403)
      expect((await send('GET /audit-logs?user_id=u-ada', token('eve', 'admin'))).body).toMatchObject({
        items: expect.arrayContaining([expect.objectContaining({ outcome: 'success' })]),
      })
    },
  )

  it('denied-calls.ts counts what was denied today', async () => {
    const { countDenied } = await load<{ countDenied: AnyRoute }>('denied-calls.ts', {})
    const { request, close } = await createTestApp({
      pkgIds: { COUNT_DENIED: 1, VAULT: 2 },
      routes: {
        COUNT_DENIED: countDenied,
        VAULT: route({
          http: 'GET /vault',
          handler: () => {
            throw new PermissionDeniedError()
          },
        }),
      },
      plugins: [
        fakeIdentity(),
        database({ url: 'pglite://memory', migrations, embeddedExtensions: ['pg_trgm'] }),
        audit({ batchMs: 20, skip: ['/denied-today'] }),
      ],
    })
    onTestFinished(() => close())
    const ann = { headers: { authorization: 'Bearer ann' } }
    expect((await request('GET /denied-today')).status).toBe(401)
    expect((await request('GET /denied-today', ann)).json()).toEqual({ denied: 0 })
    for (let i = 0; i < 3; i++) expect((await request('GET /vault', ann)).status).toBe(403)
    await expect.poll(async () => (await request('GET /denied-today', ann)).json(), patient).toEqual({ denied: 3 })
  })
})
