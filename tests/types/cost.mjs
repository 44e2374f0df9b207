// What the types of routes cost a type check: instantiations that `tsc` makes for an app of 300 routes with real valibot
// schemas, over those that it makes for the schemas alone. By hand: `node tests/types/cost.mjs [routes]`; it exits with 1 when that exceeds the limit.
//
// "Alone" is: declared, and their types read once, as by a plain function from the one to the other. A schema that is not
// read costs next to nothing, and the first look at it (even at `schema.type`) some 280 instantiations of valibot's own: those
// are printed too, and are in neither side of the difference.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const routeCount = Number(process.argv[2] ?? 300)
const routesPerFile = 10
const maxPerRoute = 520

const here = dirname(fileURLToPath(import.meta.url))
const tsc = createRequire(join(here, '../../package.json')).resolve('typescript/bin/tsc')

const compilerOptions = {
  target: 'es2023',
  lib: ['es2023'],
  module: 'nodenext',
  moduleResolution: 'nodenext',
  moduleDetection: 'force',
  types: ['node'],
  customConditions: ['@twinwire/source'],
  allowImportingTsExtensions: true,
  noEmit: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true,
}

const numbers = Array.from({ length: routeCount }, (_, i) => i + 1)
const files = Array.from({ length: Math.ceil(routeCount / routesPerFile) }, (_, i) =>
  numbers.slice(i * routesPerFile, (i + 1) * routesPerFile),
)

/** Two steps as a plugin has them: a guard that adds, an interceptor that adds. */
const stepsFile = `
import { interceptor, guard, type Next } from '@twinwire/core'
import { pluginKey } from '@twinwire/core/plugin'

export interface User { readonly id: string; readonly roles: ReadonlySet<string> }
export interface Db { query<T>(text: string): Promise<readonly T[]> }
const authKey = pluginKey('auth').of<{ user(id: string): User }>()
const databaseKey = pluginKey('database').of<{ transaction<T>(run: (db: Db) => Promise<T>): Promise<T> }>()

export const requireRoles = (...roles: string[]) =>
  guard({
    name: \`auth.requireRoles(\${roles})\`,
    identity: 'required',
    needs: authKey,
    bind: (api) => (call) => ({ user: api.user(call.identity?.id ?? '') }),
  })
export const transaction = () =>
  interceptor({
    name: 'database.transaction',
    holdsEffects: true,
    needs: databaseKey,
    bind: (api) => (_call, next: Next<{ db: Db }>) => api.transaction((db) => next({ db })),
  })
`

const schemas = (n) => `
export const Input${n} = v.object({
  id: v.pipe(v.string(), v.uuid()),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  age: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  tags: v.array(v.string()),
  kind: v.picklist(['a${n}', 'b', 'c']),
})
export const Output${n} = v.object({
  id: v.string(),
  name: v.string(),
  kind: v.picklist(['a${n}', 'b', 'c']),
  createdAt: v.date(),
})
`

const plainFunction = (n) => `
export const function${n} = (input: v.InferOutput<typeof Input${n}>): v.InferInput<typeof Output${n}> => {
  return { id: input.id, name: input.name, kind: input.kind, createdAt: new Date() }
}
`

const withHandler = (n) => `
export const route${n} = route({
  summary: 'Route ${n}',
  http: 'PUT /things${n}/:id',
  use: [requireRoles('role-${n}'), transaction()],
  input: Input${n},
  output: Output${n},
  handler: async (input, { db, user }) => {
    const [row] = await db.query<{ createdAt: Date }>(user.id)
    return { id: input.id, name: input.name, kind: input.kind, createdAt: row?.createdAt ?? new Date() }
  },
})
`

const withCommand = (n) => `
class Command${n} extends BaseCommand<v.InferOutput<typeof Input${n}>, v.InferOutput<typeof Output${n}>> {
  readonly #db: Db
  constructor(db: Db) {
    super()
    this.#db = db
  }
  async execute(input: v.InferOutput<typeof Input${n}>): Promise<v.InferOutput<typeof Output${n}>> {
    await this.#db.query(input.name)
    return { id: input.id, name: input.name, kind: input.kind, createdAt: new Date() }
  }
}
export const route${n} = route({
  summary: 'Route ${n}',
  http: { route: 'POST /things${n}/:id', status: 201 },
  use: [requireRoles('role-${n}'), transaction()],
  input: Input${n},
  output: Output${n},
  command: ({ db }) => new Command${n}(db),
})
`

const schemaFile = (of) => `import * as v from 'valibot'\n${of.map(schemas).join('')}`

const functionFile = (of, index) => `
import type * as v from 'valibot'
import type { ${of.flatMap((n) => [`Input${n}`, `Output${n}`]).join(', ')} } from './schemas${index}.ts'
${of.map(plainFunction).join('')}`

const routeFile = (of, index) => `
import { BaseCommand, route } from '@twinwire/core'
import type * as v from 'valibot'
import { ${of.flatMap((n) => [`Input${n}`, `Output${n}`]).join(', ')} } from './schemas${index}.ts'
import { type Db, requireRoles, transaction } from './steps.ts'
${of.map((n) => (n % 2 === 0 ? withCommand(n) : withHandler(n))).join('')}`

const appFile = `
import { createApp } from '@twinwire/core'
${files.map((of, i) => `import { ${of.map((n) => `route${n}`).join(', ')} } from './routes${i}.ts'`).join('\n')}
export const PkgID = { ${numbers.map((n) => `ROUTE_${n}: ${n}`).join(', ')} } as const
export const app = createApp({ pkgIds: PkgID, routes: { ${numbers.map((n) => `ROUTE_${n}: route${n}`).join(', ')} } })
`

/** Core is in both programs, so that its own cost is in neither figure. */
const schemasDeclared = {
  'steps.ts': stepsFile,
  'core.ts': "export { BaseCommand, createApp, route } from '@twinwire/core'\n",
  ...Object.fromEntries(files.map((of, i) => [`schemas${i}.ts`, schemaFile(of)])),
}
const schemasRead = {
  ...schemasDeclared,
  ...Object.fromEntries(files.map((of, i) => [`functions${i}.ts`, functionFile(of, i)])),
}
const whole = {
  ...schemasRead,
  ...Object.fromEntries(files.map((of, i) => [`routes${i}.ts`, routeFile(of, i)])),
  'app.ts': appFile,
}

/** Type checks these files; returns figures by name, as `tsc` prints them. */
function measure(sources) {
  const folder = mkdtempSync(join(tmpdir(), 'twinwire-cost-'))
  try {
    symlinkSync(join(here, '../node_modules'), join(folder, 'node_modules'))
    mkdirSync(join(folder, 'src'))
    for (const [name, text] of Object.entries(sources)) writeFileSync(join(folder, 'src', name), text)
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    const typeRoots = [join(here, '../../node_modules/@types')]
    const config = { compilerOptions: { ...compilerOptions, typeRoots }, include: ['src'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const printed = execFileSync(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics'], { encoding: 'utf8' })
    return (name) => Number.parseFloat(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(printed)?.[1] ?? 'NaN')
  } catch (error) {
    console.error(`The sources do not compile:\n${String(error.stdout).slice(0, 2000)}`)
    process.exit(1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const declared = measure(schemasDeclared)
const read = measure(schemasRead)
const full = measure(whole)
const over = (program) => (full('Instantiations') - program('Instantiations')) / routeCount
const line = (title, program) =>
  console.log(title.padEnd(20), `${program('Instantiations')} instantiations, check time ${program('Check time')} s`)
console.log(`${routeCount} routes`)
line('schemas declared', declared)
line('schemas read', read)
line('with routes', full)
console.log(
  `per route ${over(read).toFixed(1)} over the schemas (at most ${maxPerRoute}); over unread ones ${over(declared).toFixed(1)}`,
)
process.exitCode = over(read) <= maxPerRoute ? 0 : 1
