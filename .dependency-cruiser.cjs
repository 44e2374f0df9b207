// Which module may import which: `npm run check:layers`. Imports of types count. ARCHITECTURE.md draws the same as a picture.
// Tests and fixtures may import anything.

const core = '^packages/core/src'
/** What browsers load. */
const pages = '^packages/plugin-openapi/src/pages'

/** What each module of core may import beside itself. */
const foundation = ['base', 'errors']
const wireFormats = [...foundation, 'protocol', 'transport']
const calls = [...wireFormats, 'call']
const pluginHost = [...calls, 'route', 'hub', 'tasks', 'plugin']
const wires = [...pluginHost, 'edge']
const application = [...wires, 'http', 'websocket', 'log', 'settings']

const mayImport = {
  base: [],
  errors: ['base'],
  log: foundation,
  settings: foundation,
  protocol: foundation,
  transport: foundation,
  call: wireFormats,
  route: calls,
  hub: [...calls, 'route'],
  tasks: [...foundation, 'hub'],
  plugin: [...calls, 'route', 'hub', 'tasks'],
  edge: pluginHost,
  http: wires,
  websocket: wires,
  app: application,
  database: [...foundation, 'log', 'settings', 'call', 'route', 'hub', 'plugin'],
  cluster: [...application, 'app'],
  testing: [...application, 'app'],
}

const layers = Object.entries(mayImport).map(([module, allowed]) => ({
  name: `layer-${module}`,
  comment: `${module} may import ${allowed.length === 0 ? 'no other module' : allowed.join(', ')}: move what is shared down, or pass it in`,
  severity: 'error',
  from: { path: `${core}/${module}/`, pathNot: module === 'database' ? [`${core}/database/testing/`] : [] },
  to: { path: `${core}/`, pathNot: `${core}/(?:${[module, ...allowed].join('|')})/` },
}))

/** A library or an implementation that only some files know. */
const onlyIn = (name, to, files, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: '^packages/[^/]+/src/', pathNot: files },
  to: { path: to },
})

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'no-unknown-module',
      comment: 'A folder of packages/core/src must be in the table of .dependency-cruiser.cjs',
      severity: 'error',
      from: { path: `${core}/[^/]+/`, pathNot: `${core}/(?:${Object.keys(mayImport).join('|')})/` },
      to: {},
    },
    {
      name: 'no-import-of-entry-points',
      comment: 'Files at the top of src are entry points for users: import the module itself',
      severity: 'error',
      from: { path: `${core}/[^/]+/` },
      to: { path: `${core}/[^/]+\\.ts$` },
    },
    {
      name: 'no-cycle',
      comment: 'Two files that need each other at run time are one module: join them, or split what is shared',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'database-testing',
      comment: 'database/testing may use the test kit; nothing else of the database may',
      severity: 'error',
      from: { path: `${core}/database/testing/` },
      to: {
        path: `${core}/`,
        pathNot: `${core}/(?:${['database', 'testing', 'app', ...mayImport.database].join('|')})/`,
      },
    },
    onlyIn(
      'uws-behind-the-port',
      `${core}/transport/uws-`,
      [`${core}/transport/`, `${core}/app/`, `${core}/testing/create-test-app\\.ts$`, `${core}/[^/]+\\.ts$`],
      'uWebSockets.js is behind transport/transport.ts: import the port',
    ),
    onlyIn(
      'core-by-its-entry-points',
      `${core}/[^/]+/`,
      [`${core}/`],
      'Packages use what an outside author has: the entry points of @twinwire/core',
    ),
    onlyIn(
      'client',
      '^packages/client/src/',
      ['^packages/client/src/', `${core}/testing/`, `${pages}/`],
      'Only the test kit of core, and pages for browsers, contain the client',
    ),
    onlyIn(
      'pages',
      `${pages}/`,
      [`${pages}/`],
      'The pages of plugin-openapi run in browsers: they are built, and served as files',
    ),
    {
      name: 'pages-are-for-browsers',
      comment: 'What runs in a browser imports the client, and nothing that runs on a server',
      severity: 'error',
      from: { path: `${pages}/` },
      to: { path: '^packages/', pathNot: [`${pages}/`, '^packages/client/src/', `${core}/`] },
    },
    onlyIn(
      'clack',
      '/node_modules/@clack/',
      ['^packages/create-twinwire/src/questions\\.ts$'],
      'Only questions.ts knows how a terminal is asked',
    ),
    onlyIn('pino', '/node_modules/pino/', [`${core}/log/pino-logger\\.ts$`], 'Import the port base/logger.ts'),
    onlyIn(
      'drizzle',
      '/node_modules/drizzle-orm/',
      [`${core}/database/`, '^packages/plugin-audit/src/'],
      'Only what has a table knows drizzle',
    ),
    onlyIn(
      'postgres',
      '/node_modules/(?:postgres|@electric-sql/pglite)/',
      [`${core}/database/`],
      'Only drivers know their library',
    ),
    onlyIn(
      'jose',
      '/node_modules/jose/',
      ['^packages/plugin-auth/src/(?:token/jose|testing/[^/]+)\\.ts$'],
      'Import token/jose.ts',
    ),
    onlyIn(
      'ioredis',
      '/node_modules/ioredis/',
      ['^packages/(?:redis|broker-redis|plugin-ratelimit)/src/'],
      'Import @twinwire/redis',
    ),
    onlyIn(
      'prom-client',
      '/node_modules/prom-client/',
      ['^packages/plugin-metrics/src/'],
      'Only plugin-metrics knows prom-client',
    ),
    onlyIn(
      'to-json-schema',
      '/node_modules/@valibot/to-json-schema/',
      ['^packages/plugin-openapi/src/schemas/json-schema\\.ts$'],
      'Import schemas/json-schema.ts',
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(?:\\.(?:test|test-d|fixtures)\\.ts$|/dist/)' },
    enhancedResolveOptions: {
      conditionNames: ['@twinwire/source', 'types', 'import', 'node', 'default'],
      exportsFields: ['exports'],
    },
  },
}
