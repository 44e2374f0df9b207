import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../../usage-error.ts'
import { checkHttp, type Generation } from '../generation.ts'
import { capitalize, type Name, toName, toSingular } from '../name.ts'
import { writeImports } from '../source/imports.ts'
import { toRoles } from './feature.ts'
import { toListLine, toTestParts } from './test-parts.ts'

interface RouteParts {
  readonly name: Name
  readonly http: string
  /** Of the input, with their schemas; null for a route without one. */
  readonly entries: ReadonlyMap<string, string> | null
}

const id = 'v.pipe(v.number(), v.integer(), v.minValue(1))'
const text = 'v.pipe(v.string(), v.minLength(1), v.maxLength(255))'
const isId = (key: string): boolean => /^id$|Id$|_id$/.test(key)

/** One route of a feature, on both wires. */
export function generateRoute(name: Name, generation: Generation): void {
  const { plan, options } = generation
  const feature = generation.feature()
  const folder = generation.folder(feature)
  const file = `${folder}/${name.kebab}.route.ts`
  const http = checkHttp(
    options.http ?? `${options.schema && !options.paginated ? 'POST' : 'GET'} /${feature}/${name.kebab}`,
  )
  const params = [...http.matchAll(/:(\w+)/g)].map(([, param = '']) => param)
  if (new Set(params).size < params.length) throw new UsageError(`--http has a parameter twice: ${http}`)
  generation.checkPath(http, file)
  const keys = [...params, ...(options.schema && !params.includes('name') ? ['name'] : [])]
  const entries = keys.length === 0 ? null : new Map(keys.map((key) => [key, isId(key) ? id : text]))
  const parts: RouteParts = { name, http, entries }
  if (options.paginated) {
    if (params.length > 0) throw new UsageError(`--paginated takes a path without parameters, not ${http}`)
    const entity = findEntity(generation, feature)
    plan.create(file, writePageRoute(generation, parts, entity))
    plan.create(`${folder}/${name.kebab}.route.test.ts`, writeTest(generation, parts, pageTest(name)))
  } else {
    plan.create(file, writeRoute(generation, parts))
    plan.create(`${folder}/${name.kebab}.route.test.ts`, writeTest(generation, parts, valueTest(parts)))
  }
  generation.addPkgId(name, 'route')
  generation.addToFeature(feature, 'routes', name, `${name.kebab}.route.ts`)
  generation.addRoles()
}

/** The repository on a database that the feature has: of its own name, or the only one. */
function findEntity({ model, plan }: Generation, feature: string): Name {
  const path = `${model.project.paths.features}/${feature}`
  const found = readdirSync(join(model.project.root, path))
    .flatMap((file) => /^(.+)\.repository\.ts$/.exec(file)?.[1] ?? [])
    .filter((each) => plan.read(`${path}/${each}.repository.ts`)?.includes('extends BaseRepository') === true)
    .filter((each) => plan.read(`${path}/${each}.schemas.ts`)?.includes(`const ${toName(each).pascal}Schema`) === true)
  const own = found.find((each) => each === toSingular(toName(feature)).kebab)
  const [only, ...others] = found
  if (own !== undefined) return toName(own)
  if (only !== undefined && others.length === 0) return toName(only)
  throw new UsageError(
    only === undefined
      ? `--paginated needs a repository on a database in ${path}, with its schemas: twinwire generate repository makes them`
      : `--paginated needs one repository in ${path}, and there are several: ${found.join(', ')}`,
  )
}

function writePageRoute(generation: Generation, { name, http }: RouteParts, entity: Name): string {
  const roles = toRoles(generation)
  const input = `${name.pascal}Input`
  const imports = writeImports([
    ['@twinwire/core', 'pageOf', 'route'],
    ['@twinwire/core/database', 'withDb'],
    ['@twinwire/core/database/valibot', 'pageInput'],
    ['valibot', '* as v'],
    ...roles.imports,
    [`./${entity.kebab}.repository.ts`, `${entity.pascal}Repository`],
    [`./${entity.kebab}.schemas.ts`, `${entity.pascal}Schema`],
  ])
  return `${imports}
export const ${input} = v.strictObject({ ...pageInput() })
export type ${input} = v.InferOutput<typeof ${input}>

export const ${name.camel} = route({
  summary: '${capitalize(name.words)}, page by page',
  http: '${http}',
${toListLine('use', [...roles.steps, 'withDb()'], '  ')}  input: ${input},
  output: pageOf(${entity.pascal}Schema),
  handler: ({ page, per_page: perPage, cursor }, { db }) =>
    new ${entity.pascal}Repository(db).getPage({ page, perPage, cursor }),
})
`
}

function writeRoute(generation: Generation, { name, http, entries }: RouteParts): string {
  const roles = toRoles(generation)
  const imports = writeImports([['@twinwire/core', 'route'], ['valibot', '* as v'], ...roles.imports])
  const head = `export const ${name.camel} = route({
  summary: '${capitalize(name.words)}',
  http: '${http}',
${toListLine('use', roles.steps, '  ')}`
  if (entries === null)
    return `${imports}
${head}  output: v.object({ done: v.boolean() }),
  handler: () => ({ done: true }),
})
`
  const input = `${name.pascal}Input`
  return `${imports}
/** Strict: a misspelt key is an error and not ignored. */
export const ${input} = v.strictObject({
${[...entries].map(([key, schema]) => `  ${key}: ${schema},\n`).join('')}})
export type ${input} = v.InferOutput<typeof ${input}>

${head}  input: ${input},
  output: v.object(${input}.entries),
  handler: (input) => input,
})
`
}

const pageTest = ({ constant }: Name): string => `    for (const send of [ann.call, ann.http])
      expect(await send('${constant}', { per_page: 5 })).toMatchObject({ items: expect.any(Array), meta: { per_page: 5 } })
`

function valueTest({ name: { constant }, entries }: RouteParts): string {
  if (entries === null)
    return `    for (const send of [ann.call, ann.http]) expect(await send('${constant}')).toEqual({ done: true })
`
  const values = [...entries.keys()].map((key) => `${key}: ${isId(key) ? '1' : "'First'"}`)
  const [bad = ''] = entries.keys()
  return `    const input = { ${values.join(', ')} }
    for (const send of [ann.call, ann.http]) {
      expect(await send('${constant}', input)).toEqual(input)
      const invalid = { ...input, ${bad}: ${isId(bad) ? '0' : "'x'.repeat(256)"} }
      await expect(send('${constant}', invalid)).rejects.toMatchObject({ code: 'validation_error' })
    }
`
}

function writeTest(generation: Generation, { name, entries }: RouteParts, body: string): string {
  const { paginated } = generation.options
  const { imports, setup, plugins, user, stranger } = toTestParts(generation, paginated)
  const lines = writeImports([
    ...imports,
    [generation.up(generation.paths.pkgIds), 'PkgID'],
    [`./${name.kebab}.route.ts`, name.camel],
  ])
  const values = [...(entries ?? new Map()).keys()].map((key) => `${key}: ${isId(key) ? '1' : "'First'"}`)
  const input = paginated ? ', {}' : values.length === 0 ? '' : `, { ${values.join(', ')} }`
  const denied = `
  it('asks for the roles', async () => {
    const { client } = await start(options())
    const bob = await client(${stranger})
    for (const send of [bob.call, bob.http])
      await expect(send('${name.constant}'${input})).rejects.toMatchObject({ code: 'permission_denied' })
  })
`
  return `${lines}
const { ${name.constant} } = PkgID

${setup}${setup === '' ? '' : '\n'}const options = () => ({
  pkgIds: { ${name.constant} },
  routes: { ${name.constant}: ${name.camel} },
${toListLine('plugins', plugins, '  ')}})

// In memory, and on real sockets.
onTransports({ describe, afterEach }, ({ start }) => {
  it('answers on both wires: ${name.words}', async () => {
    const { client } = await start(options())
    const ann = await client(${user})
${body}  })
${stranger === null ? '' : denied}})
`
}
