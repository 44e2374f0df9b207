import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { createTestProject } from '../project/test-project.fixtures.ts'

const plain = {
  'src/pkg-ids.ts': 'export const PkgID = { PING: 1, PINGED: 100 } as const\n',
  'src/features.ts':
    "import * as pings from './features/pings/feature.ts'\n\nexport const routes = { ...pings.routes }\nexport const events = { ...pings.events }\n",
  'src/features/pings/feature.ts':
    "import { ping } from './ping.route.ts'\nimport { pinged } from './pinged.event.ts'\n\nexport const routes = { PING: ping }\nexport const events = { PINGED: pinged }\n",
  'src/features/pings/ping.route.ts': "export const ping = route({ http: { route: 'GET /pings/:id' } })\n",
}
const withDatabase = { ...plain, 'src/schema.ts': '' }

/** All files but installed ones, with their content. */
function readAll(root: string, folder = ''): Record<string, string> {
  const entries = readdirSync(join(root, folder)).filter((name) => name !== 'node_modules')
  return Object.assign(
    {},
    ...entries.map((name) => {
      const path = join(folder, name)
      return statSync(join(root, path)).isDirectory()
        ? readAll(root, path)
        : { [path]: readFileSync(join(root, path), 'utf8') }
    }),
  )
}

it('adds a route to the tables, and says so; a dry run writes nothing [defect 80]', async () => {
  const { root, twinwire } = createTestProject(plain, [])
  const before = readAll(root)
  const files = [
    'create  src/features/pings/archive-ping.route.ts',
    'create  src/features/pings/archive-ping.route.test.ts',
    'edit    src/pkg-ids.ts',
    'edit    src/features/pings/feature.ts',
  ]
  const dry = await twinwire('g', 'route', 'archive-ping', '--schema', '--dry-run')
  expect(dry).toEqual({ code: 0, out: `${files.join('\n')}\ndry run: nothing was written\n`, err: '' })
  expect(readAll(root)).toEqual(before)
  const done = await twinwire('generate', 'route', 'archive-ping', '--http', 'POST /pings/:id/archive')
  expect(done).toEqual({ code: 0, out: `${files.join('\n')}\n`, err: '' })
  const after = readAll(root)
  expect(after['src/pkg-ids.ts']).toBe('export const PkgID = { PING: 1, ARCHIVE_PING: 2, PINGED: 100 } as const\n')
  expect(after['src/features/pings/feature.ts']).toContain('routes = { PING: ping, ARCHIVE_PING: archivePing }')
  expect(after['src/features/pings/archive-ping.route.ts']).toContain("http: 'POST /pings/:id/archive'")
})

it('keeps the PkgID and the lists with --overwrite', async () => {
  const { root, twinwire } = createTestProject(plain, [])
  await twinwire('generate', 'event', 'ping-lost')
  const before = readAll(root)
  writeFileSync(join(root, 'src/features/pings/ping-lost.event.ts'), '// mine\n')
  const refused = await twinwire('generate', 'event', 'ping-lost')
  expect(refused).toMatchObject({ code: 1, out: '' })
  expect(refused.err).toBe(`twinwire generate: refused, nothing was written:
  src/features/pings/ping-lost.event.ts already exists
  src/features/pings/ping-lost.event.test.ts already exists
  the PkgID PING_LOST already exists: 101
--overwrite replaces files, and keeps PkgIDs
`)
  expect(await twinwire('generate', 'event', 'ping-lost', '--overwrite')).toMatchObject({
    code: 0,
    out: expect.stringContaining('edit    src/features/pings/ping-lost.event.ts\nnext: '),
  })
  expect(readAll(root)).toEqual(before)
})

it.each([
  [
    ['route', 'other', '--http', 'GET /pings/:key'],
    'GET /pings/:key is already the route of src/features/pings/ping.route.ts',
  ],
  [['route', 'other', '--http', 'GET /health/mine'], 'paths below /health are those of core or of a plugin'],
  [['route', 'other', '--id', '100'], 'the PkgID 100 is that of PINGED'],
  [['route', 'pinged'], 'the PkgID PINGED already exists: 100'],
  [['feature', 'pings'], 'the feature pings already exists'],
  [['feature', 'docs'], 'paths below /docs are those of core'],
])('refuses what is taken, and writes nothing: %j', async (args, reason) => {
  const { root, twinwire } = createTestProject(plain, [])
  const before = readAll(root)
  expect(await twinwire('generate', ...args)).toMatchObject({ code: 1, out: '', err: expect.stringContaining(reason) })
  expect(readAll(root)).toEqual(before)
})

it.each([
  [[], 'generate takes a kind, feature, route, command, repository, event, plugin, not "nothing"'],
  [['handler', 'x'], 'not "handler"'],
  [['route'], 'generate route takes one name; there are 0'],
  [['route', 'a', 'b'], 'there are 2'],
  [['route', 'class'], 'class is a reserved word of JavaScript'],
  [['event', 'x', '--schema'], 'generate event has no option --schema'],
  [['plugin', 'x', '--module', 'pings'], 'generate plugin has no option --module'],
  [['route', 'x', '--module', 'none'], 'there is no feature "none" in src/features: pings'],
  [['route', 'x', '--http', 'FETCH /x'], '--http is a method and a path'],
  [['route', 'x', '--http', 'GET /:a/:a'], '--http has a parameter twice'],
  [['route', 'x', '--id', '0'], '--id is an integer from 1'],
  [['route', 'x', '--roles', 'read', 'b c'], '"b c" is not a role'],
  [['route', 'x', '--roles', 'read'], 'this project has no src/roles.ts'],
  [['route', 'x', '--paginated'], '--paginated needs a repository on a database in src/features/pings'],
  [['repository', 'x'], 'this project has no src/schema.ts'],
  [['--free-ids', 'x'], 'generate --free-ids takes no name'],
])('says what is wrong with %j', async (args, reason) => {
  const { root, twinwire } = createTestProject(plain, [])
  const before = readAll(root)
  expect(await twinwire('generate', ...args)).toMatchObject({ code: 2, out: '', err: expect.stringContaining(reason) })
  expect(readAll(root)).toEqual(before)
})

it('needs a project of its shape', async () => {
  const { twinwire } = createTestProject({}, [])
  expect(await twinwire('generate', 'plugin', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining(
      'src/pkg-ids.ts does not exist: generate needs a project as npm create twinwire makes it',
    ),
  })
  const odd = createTestProject({ ...plain, 'src/pkg-ids.ts': 'export const PkgID = { A: one }\n' }, [])
  expect(await odd.twinwire('generate', 'plugin', 'x')).toMatchObject({
    code: 2,
    err: expect.stringContaining('src/pkg-ids.ts: A: one must be a name and a number'),
  })
})

it('lists free PkgIDs', async () => {
  const { twinwire } = createTestProject(
    { ...plain, 'src/pkg-ids.ts': 'export const PkgID = { A: 1, B: 99, PINGED: 100, C: 7 }\n' },
    [],
  )
  expect(await twinwire('generate', '--free-ids')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^next for a route: 101\nnext for an event: 101\ngaps: 2-6, 8-98 \(/),
  })
})

it('writes nothing without drizzle-kit, and restores every file when it fails', async () => {
  const missing = createTestProject(withDatabase, [])
  const before = readAll(missing.root)
  expect(await missing.twinwire('generate', 'feature', 'tags')).toMatchObject({
    code: 2,
    err: expect.stringContaining('npm install --save-dev drizzle-kit'),
  })
  expect(readAll(missing.root)).toEqual(before)
  const failing = createTestProject(
    { ...withDatabase, 'node_modules/drizzle-kit/bin.cjs': "throw Error('of the kit')" },
    [],
  )
  expect(await failing.twinwire('generate', 'feature', 'tags')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/wrote no migration, so everything is as it was:\n[\s\S]*of the kit/),
  })
  expect(readAll(failing.root)).toEqual(before)
  expect(readdirSync(join(failing.root, 'src/features'))).toEqual(['pings'])
})

const kit = `const { mkdirSync, writeFileSync } = require('node:fs')
mkdirSync('drizzle', { recursive: true })
writeFileSync('drizzle/' + process.argv.at(-1) + '.sql', '')
`
const full = {
  ...withDatabase,
  'src/roles.ts': "export const { requireRoles } = defineRoles(['read'])\n",
  'node_modules/drizzle-kit/bin.cjs': kit,
}

it('writes what the project can use: tables with a migration, roles, or neither', async () => {
  const stored = createTestProject(full, [])
  for (const args of [
    ['feature', 'orders', '--roles', 'read', 'edit-orders'],
    ['route', 'search-orders', '--module', 'orders', '--paginated', '--roles', 'read'],
    ['route', 'touch-order', '--module', 'orders'],
    ['repository', 'line-item', '--module', 'orders'],
    ['command', 'close-order', '--module', 'orders'],
    ['plugin', 'counter'],
  ])
    expect(await stored.twinwire('generate', ...args)).toMatchObject({ code: 0, err: '' })
  const files = readAll(stored.root)
  expect(Object.keys(files).filter((path) => path.startsWith('drizzle'))).toEqual([
    'drizzle/line_items.sql',
    'drizzle/orders.sql',
  ])
  expect(files['src/schema.ts']).toBe(
    "export { lineItems } from './features/orders/line-item.table.ts'\nexport { orders } from './features/orders/order.table.ts'\n",
  )
  expect(files['src/roles.ts']).toContain("defineRoles(['read', 'edit-orders'])")
  expect(files['src/features/orders/create-order.route.ts']).toContain(
    "use: [requireRoles('read', 'edit-orders'), transaction()]",
  )
  expect(files['src/features/orders/search-orders.route.ts']).toContain('output: pageOf(OrderSchema)')
  expect(await stored.twinwire('generate', 'route', 'find-all', '--module', 'orders', '--paginated')).toMatchObject({
    code: 0,
    out: expect.stringContaining('find-all.route.ts'),
  })
  const kept = createTestProject(plain, [])
  expect(await kept.twinwire('generate', 'feature', 'news')).toMatchObject({ code: 0 })
  const inMemory = readAll(kept.root)
  expect(inMemory['src/features/news/list-news.route.ts']).toContain('output: v.array(NewsSchema)')
  expect(inMemory['src/features/news/news.repository.ts']).toContain('newsRepository = new NewsRepository()')
  expect(inMemory['src/features.ts']).toContain('routes = { ...pings.routes, ...news.routes }')
})
