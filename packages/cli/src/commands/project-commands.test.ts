import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { createTestProject } from '../project/test-project.fixtures.ts'

// Each command starts a process.
vi.setConfig({ testTimeout: 120_000 })

const app = (path: string, limit: string) => `
import { createApp, event, guard, route } from '@twinwire/core'
export const app = () => createApp({
  environment: 'test',
  health: false,
  log: { level: 'silent' },
  pkgIds: { ADD_NOTE: 1, NOTE_ADDED: 100 },
  routes: {
    ADD_NOTE: route({
      http: 'POST ${path}',
      use: [guard({ name: 'writers', demands: { roles: ['write'] }, limits: ${limit}, run() {} })],
      handler: (): null => null,
    }),
  },
  events: { NOTE_ADDED: event({ data: { '~standard': { version: 1, vendor: 'x', validate: (value: unknown) => ({ value }) } } }) },
})
`
const limited = "[{ name: null, points: 30, periodMs: 60_000, burst: 0, cost: 1, key: 'identity', wire: null }]"

const tools = `
import { app } from './app.ts'
let isClosed = false
process.on('exit', () => console.log(isClosed ? 'closed' : 'left open'))
console.log('a line of the app')
export const createDescribedApp = async () => ({ app: app(), close: () => { isClosed = true } })
export const createExaminedApp = () => app()
`

it('lists the routes of a project in TypeScript, and checks them against a file', async () => {
  const { root, twinwire } = createTestProject({ 'src/twinwire.ts': tools, 'src/app.ts': app('/notes', limited) })
  const listed = await twinwire('routes')
  expect(listed).toEqual({
    code: 0,
    out: [
      'pkg_id  name        http         access         steps    limits',
      '1       ADD_NOTE    POST /notes  public, write  writers  30/m by identity',
      '100     NOTE_ADDED  -            event          -        -\n',
    ].join('\n'),
    // What the app prints, so that the standard output is that of the command.
    err: 'a line of the app\nclosed\n',
  })
  const asJson = await twinwire('routes', '--json')
  expect(JSON.parse(asJson.out)).toMatchObject({
    routes: [{ name: 'ADD_NOTE', steps: [{ limits: [{ points: 30 }] }] }],
    events: [{ name: 'NOTE_ADDED', pkgId: 100 }],
  })
  const [routes, manifest] = [join(root, 'routes.json'), join(root, 'manifest.json')]
  expect(await twinwire('routes', '--check', routes)).toMatchObject({
    code: 2,
    err: expect.stringContaining(`to write it: twinwire routes --update ${routes}`),
  })
  expect(await twinwire('routes', '--update', routes)).toMatchObject({ code: 0, out: `${routes} written\n` })
  expect(await twinwire('routes', '--check', routes)).toMatchObject({ code: 0 })
  expect(await twinwire('manifest', '--update', manifest)).toMatchObject({ code: 0 })
  expect(await twinwire('manifest')).toMatchObject({ code: 0, out: readFileSync(manifest, 'utf8') })
})

it('says how the app differs from the agreed files', async () => {
  const agreed = {
    version: 1,
    routes: {
      ADD_NOTE: {
        pkg_id: '1',
        http: 'POST /notes',
        access: 'authenticated',
        steps: 'guard writers',
        deadline: '30000 ms',
      },
      OLD: { pkg_id: '2', http: 'GET /old', access: 'authenticated', deadline: '30000 ms' },
    },
    events: {},
  }
  const { root, twinwire } = createTestProject({
    'src/twinwire.ts': tools,
    'src/app.ts': app('/v2/notes', limited),
    'routes.json': JSON.stringify(agreed),
    'manifest.json': JSON.stringify({
      version: 1,
      path: '/ws',
      routes: { ADD_NOTE: { pkgId: 1, http: 'POST /notes' } },
    }),
    'other.json': '{"version":1,"routes":[]}',
  })
  const checked = await twinwire('routes', '--check', join(root, 'routes.json'))
  expect([checked.code, checked.out.replaceAll(root, '')]).toEqual([
    1,
    `/routes.json differs from the app:
changed  route ADD_NOTE
           http: POST /notes -> POST /v2/notes
           access: authenticated -> public, write
           limits: none -> 30/m by identity
removed  route OLD
           pkg_id: 2
           http: GET /old
           access: authenticated
added    event NOTE_ADDED
           pkg_id: 100
To accept: twinwire routes --update /routes.json
`,
  ])
  const manifest = await twinwire('manifest', '--check', join(root, 'manifest.json'))
  expect(manifest).toMatchObject({
    code: 1,
    out: expect.stringContaining('routes.ADD_NOTE.http: "POST /notes" -> "POST /v2/notes"\n'),
  })
  expect(await twinwire('routes', '--check', join(root, 'other.json'))).toMatchObject({
    code: 2,
    err: expect.stringContaining('is not a file of agreed routes: write one with twinwire routes --update'),
  })
})

it('runs the doctor: settings that are refused, and packages that are missing, are findings', async () => {
  const fine = createTestProject({ 'src/twinwire.ts': tools, 'src/app.ts': app('/notes', '[]') })
  const report = await fine.twinwire('doctor', '--json')
  expect([report.code, JSON.parse(report.out)]).toEqual([
    0,
    { ok: true, findings: expect.arrayContaining([expect.objectContaining({ check: 'node', level: 'ok' })]) },
  ])
  const missing = createTestProject({ 'src/twinwire.ts': "import 'no-such-package'\n" })
  expect(await missing.twinwire('doctor')).toMatchObject({
    code: 1,
    out: expect.stringContaining('The package no-such-package is not installed, but the app imports it'),
  })
})

it('migrates forward only, and lists what is pending', async () => {
  const migrations = {
    'drizzle/0000_notes.sql': 'create table notes (id int);',
    'drizzle/meta/_journal.json': JSON.stringify({
      version: '7',
      dialect: 'postgresql',
      entries: [{ idx: 0, version: '7', when: 1, tag: '0000_notes', breakpoints: true }],
    }),
  }
  const options =
    "export const readMigrateOptions = () => ({ url: 'pglite://./data', migrations: new URL('./drizzle', import.meta.url) })"
  const { twinwire } = createTestProject({
    ...migrations,
    'twinwire.json': '{"tools":"tools.mjs"}',
    'tools.mjs': options,
  })
  expect(await twinwire('migrate', 'pending')).toMatchObject({ code: 1, out: 'pending  0000_notes\n' })
  expect(await twinwire('migrate')).toMatchObject({
    code: 0,
    out: 'applied  0000_notes (was pending)\n1 of 1 were pending\n',
  })
  expect(await twinwire('migrate', 'status', '--json')).toMatchObject({
    code: 0,
    out: `${JSON.stringify([{ tag: '0000_notes', state: 'applied' }], null, 2)}\n`,
  })
  for (const word of ['rollback', 'down', 'stamp'])
    expect(await twinwire('migrate', word)).toMatchObject({ code: 2, err: expect.stringContaining('forward only') })
  expect(await twinwire('migrate', 'up')).toMatchObject({ code: 2, err: expect.stringContaining('not "up"') })
})

it.each([
  [{}, 'src/twinwire.ts does not exist: it exports createDescribedApp, which this command calls'],
  [{ 'twinwire.json': '[]' }, 'twinwire.json must be an object'],
  [{ 'twinwire.json': '{' }, 'twinwire.json is not JSON'],
  [{ 'twinwire.json': '{"tool":"a.js"}' }, 'unknown key "tool": the keys are tools, pkgIds'],
  [{ 'twinwire.json': '{"tools":"../a.js"}' }, 'tools must be a path within the project'],
  [{ 'src/twinwire.ts': 'export {}' }, 'src/twinwire.ts exports no function createDescribedApp'],
  [{ 'src/twinwire.ts': 'export const createDescribedApp = () => ({})' }, 'must return what createApp() returns'],
  [{ 'src/twinwire.ts': 'process.exit(3)' }, 'src/twinwire.ts ended the process (exit code 3) before it had answered'],
  [{ 'src/twinwire.ts': "throw new Error('of the app')" }, 'Error: of the app\n    at '],
  [
    { 'src/twinwire.ts': tools, 'src/app.ts': app('/notes/:id', '[]') },
    'twinwire routes: Route ADD_NOTE: the path /notes/:id',
  ],
])('says why the app cannot be read: %j', async (files, message) => {
  const { code, out, err } = await createTestProject(files).twinwire('routes')
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(message)
})

it('needs the tsx of the project for TypeScript only, and a project', async () => {
  const { root, twinwire } = createTestProject(
    { 'src/twinwire.ts': tools, 'built.mjs': 'export const createDescribedApp = () => null' },
    ['@twinwire/core'],
  )
  expect(await twinwire('routes')).toMatchObject({
    code: 2,
    err: expect.stringContaining('npm install --save-dev tsx, or name a built file with --tools'),
  })
  expect(await twinwire('routes', '--tools', join(root, 'built.mjs'))).toMatchObject({
    code: 2,
    err: expect.stringContaining('createDescribedApp of built.mjs must return'),
  })
  expect(await createTestProject({}).twinwire('routes', '--project', '/')).toMatchObject({ code: 2 })
})
