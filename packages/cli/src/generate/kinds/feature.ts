import type { Generation } from '../generation.ts'
import { capitalize, joinNames, type Name, toSingular, withArticle } from '../name.ts'
import { type Import, writeImports } from '../source/imports.ts'
import { addKeptEntity, addStoredEntity, type Entity, toEntity } from './entity.ts'
import { writeFeatureTest } from './feature-test.ts'
import { toListLine } from './test-parts.ts'

/** Names of what a feature has. */
export interface FeatureNames extends Entity {
  readonly create: Name
  readonly list: Name
  readonly created: Name
}

/** A folder with what one entity needs: create and list on both wires, and an event. */
export function generateFeature(name: Name, generation: Generation): void {
  const { plan, model } = generation
  const one = toSingular(name)
  const folder = generation.folder(name.kebab)
  const names: FeatureNames = {
    ...toEntity(one, folder, name),
    create: joinNames('create', one),
    list: joinNames('list', name),
    created: joinNames(one, 'created'),
  }
  if (model.features.includes(name.kebab) && !plan.overwrite)
    plan.refused.push(`the feature ${name.kebab} already exists`)
  for (const http of [`GET /${name.kebab}`, `POST /${name.kebab}`]) {
    const route = http.startsWith('GET') ? names.list : names.create
    generation.checkPath(http, `${folder}/${route.kebab}.route.ts`)
  }
  if (model.hasDatabase) addStoredEntity(generation, names, true)
  else addKeptEntity(generation, names)
  plan.create(`${folder}/${names.create.kebab}.command.ts`, writeCreateCommand(names))
  plan.create(
    `${folder}/${names.list.kebab}.command.ts`,
    model.hasDatabase ? writePageCommand(names) : writeListCommand(names),
  )
  plan.create(`${folder}/${names.created.kebab}.event.ts`, writeEvent(names))
  plan.create(`${folder}/${names.create.kebab}.route.ts`, writeCreateRoute(generation, names))
  plan.create(`${folder}/${names.list.kebab}.route.ts`, writeListRoute(generation, names))
  if (plan.read(`${folder}/feature.ts`) === null) plan.create(`${folder}/feature.ts`, writeLists(names))
  plan.create(`${folder}/${name.kebab}.test.ts`, writeFeatureTest(generation, names))
  generation.addPkgId(names.list, 'route')
  generation.addPkgId(names.create, 'route')
  generation.addPkgId(names.created, 'event')
  generation.addFeature(name)
  generation.addRoles()
}

function writeLists({ list, create, created }: FeatureNames): string {
  const imports = writeImports([
    [`./${list.kebab}.route.ts`, list.camel],
    [`./${create.kebab}.route.ts`, create.camel],
    [`./${created.kebab}.event.ts`, created.camel],
  ])
  return `${imports}
export const routes = { ${list.constant}: ${list.camel}, ${create.constant}: ${create.camel} }
export const events = { ${created.constant}: ${created.camel} }
`
}

function writeCreateCommand({ one, create }: FeatureNames): string {
  const input = `Create${one.pascal}Input`
  const imports = writeImports([
    ['@twinwire/core', 'BaseCommand', 'ConflictError'],
    [`./${one.kebab}.repository.ts`, `type ${one.pascal}Repository`],
    [`./${one.kebab}.schemas.ts`, `type ${one.pascal}`, `type ${input}`],
  ])
  return `${imports}
export class ${create.pascal}Command extends BaseCommand<${input}, ${one.pascal}> {
  // Only the methods that the command uses, so that a test can pass an object with these alone.
  readonly #repository: Pick<${one.pascal}Repository, 'findByName' | 'create'>

  constructor(repository: Pick<${one.pascal}Repository, 'findByName' | 'create'>) {
    super()
    this.#repository = repository
  }

  async execute({ name }: ${input}): Promise<${one.pascal}> {
    if (await this.#repository.findByName(name)) throw new ConflictError(\`'\${name}' already exists\`)
    return this.#repository.create({ name })
  }
}
`
}

function writePageCommand({ one, list }: FeatureNames): string {
  const input = `${list.pascal}Input`
  const imports = writeImports([
    ['@twinwire/core', 'BaseCommand', 'type Page'],
    ['@twinwire/core/database/valibot', 'pageInput'],
    ['valibot', '* as v'],
    [`./${one.kebab}.repository.ts`, `type ${one.pascal}Repository`],
    [`./${one.kebab}.schemas.ts`, `type ${one.pascal}`],
  ])
  return `${imports}
/** By number (\`page\`), or by \`cursor\`, which continues after the previous page; an empty one starts at the beginning. */
export const ${input} = v.strictObject({ ...pageInput() })
export type ${input} = v.InferOutput<typeof ${input}>

export class ${list.pascal}Command extends BaseCommand<${input}, Page<${one.pascal}>> {
  readonly #repository: Pick<${one.pascal}Repository, 'getPage'>

  constructor(repository: Pick<${one.pascal}Repository, 'getPage'>) {
    super()
    this.#repository = repository
  }

  execute({ page, per_page: perPage, cursor }: ${input}): Promise<Page<${one.pascal}>> {
    return this.#repository.getPage({ page, perPage, cursor })
  }
}
`
}

function writeListCommand({ one, list }: FeatureNames): string {
  const imports = writeImports([
    ['@twinwire/core', 'BaseCommand'],
    [`./${one.kebab}.repository.ts`, `type ${one.pascal}Repository`],
    [`./${one.kebab}.schemas.ts`, `type ${one.pascal}`],
  ])
  return `${imports}
export class ${list.pascal}Command extends BaseCommand<unknown, ${one.pascal}[]> {
  readonly #repository: Pick<${one.pascal}Repository, 'list'>

  constructor(repository: Pick<${one.pascal}Repository, 'list'>) {
    super()
    this.#repository = repository
  }

  execute(): Promise<${one.pascal}[]> {
    return this.#repository.list()
  }
}
`
}

function writeEvent({ one, created }: FeatureNames): string {
  return `import { event } from '@twinwire/core'
import { ${one.pascal}Schema } from './${one.kebab}.schemas.ts'

export const ${created.camel} = event({ summary: '${capitalize(withArticle(one))} was created, on either wire', data: ${one.pascal}Schema })
`
}

/** The guard for --roles: its import, and the step. */
export function toRoles(generation: Generation): {
  readonly imports: readonly Import[]
  readonly steps: readonly string[]
} {
  const { roles } = generation.options
  if (roles.length === 0) return { imports: [], steps: [] }
  const list = roles.map((role) => `'${role}'`).join(', ')
  return {
    imports: [[generation.up(generation.paths.roles), 'requireRoles']],
    steps: [`requireRoles(${list})`],
  }
}

function toRepository({ model }: Generation, { one }: Entity, db: string): { name: string; value: string } {
  if (model.hasDatabase) return { name: `${one.pascal}Repository`, value: `new ${one.pascal}Repository(${db})` }
  return { name: `${one.camel}Repository`, value: `${one.camel}Repository` }
}

function writeCreateRoute(generation: Generation, names: FeatureNames): string {
  const { one, many, create, created } = names
  const { hasDatabase } = generation.model
  const roles = toRoles(generation)
  const repository = toRepository(generation, names, 'call.db')
  const imports = writeImports([
    ['@twinwire/core', 'route'],
    ...(hasDatabase ? [['@twinwire/core/database', 'transaction'] as const] : []),
    ...roles.imports,
    [`./${create.kebab}.command.ts`, `${create.pascal}Command`],
    [`./${one.kebab}.repository.ts`, repository.name],
    [`./${one.kebab}.schemas.ts`, `Create${one.pascal}Input`, `${one.pascal}Schema`],
    [`./${created.kebab}.event.ts`, created.camel],
  ])
  return `${imports}
export const ${create.camel} = route({
  summary: 'Create ${withArticle(one)}',
  http: { route: 'POST /${many.kebab}', status: 201 },
${toListLine('use', [...roles.steps, ...(hasDatabase ? ['transaction()'] : [])], '  ')}  input: Create${one.pascal}Input,
  output: ${one.pascal}Schema,
  // A command does not know connections, so the event is published here${hasDatabase ? ', and sent after the commit' : ''}.
  handler: async (input, call) => {
    const result = await new ${create.pascal}Command(${repository.value}).execute(input)
    call.broadcast(${created.camel}, result)
    return result
  },
})
`
}

function writeListRoute(generation: Generation, names: FeatureNames): string {
  const { one, many, list } = names
  const { hasDatabase } = generation.model
  const roles = toRoles(generation)
  const repository = toRepository(generation, names, 'db')
  const imports = writeImports([
    ['@twinwire/core', 'route', ...(hasDatabase ? ['pageOf'] : [])],
    ...(hasDatabase ? [['@twinwire/core/database', 'withDb'] as const] : [['valibot', '* as v'] as const]),
    ...roles.imports,
    [`./${list.kebab}.command.ts`, `${list.pascal}Command`, ...(hasDatabase ? [`${list.pascal}Input`] : [])],
    [`./${one.kebab}.repository.ts`, repository.name],
    [`./${one.kebab}.schemas.ts`, `${one.pascal}Schema`],
  ])
  const shape = hasDatabase
    ? `  input: ${list.pascal}Input,
  output: pageOf(${one.pascal}Schema),
  command: ({ db }) => new ${list.pascal}Command(${repository.value}),
`
    : `  output: v.array(${one.pascal}Schema),
  command: () => new ${list.pascal}Command(${repository.value}),
`
  return `${imports}
export const ${list.camel} = route({
  summary: 'List ${many.words}, ${hasDatabase ? 'page by page' : 'newest first, at most 100'}',
  http: 'GET /${many.kebab}',
${toListLine('use', [...roles.steps, ...(hasDatabase ? ['withDb()'] : [])], '  ')}${shape}})
`
}
