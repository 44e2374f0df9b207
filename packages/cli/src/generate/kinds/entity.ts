import type { Generation } from '../generation.ts'
import type { Name } from '../name.ts'
import { toPlural } from '../name.ts'
import { writeImports } from '../source/imports.ts'

const text = 'v.pipe(v.string(), v.minLength(1), v.maxLength(255))'

/** What is stored, as its files and classes are named. */
export interface Entity {
  readonly one: Name
  readonly many: Name
  /** Of the feature, without a `/` at the end. */
  readonly folder: string
}

export const toEntity = (one: Name, folder: string, many: Name = toPlural(one)): Entity => ({ one, many, folder })

/** Table, schemas and repository on a database. */
export function addStoredEntity(generation: Generation, entity: Entity, withInputs: boolean): void {
  const { plan } = generation
  const { one, folder } = entity
  plan.create(`${folder}/${one.kebab}.table.ts`, writeTable(entity))
  plan.create(`${folder}/${one.kebab}.schemas.ts`, writeSchemas(entity, withInputs))
  plan.create(`${folder}/${one.kebab}.repository.ts`, writeRepository(entity))
  generation.addTable(entity.many, `${folder}/${one.kebab}.table.ts`)
}

/** Schemas, and a repository in memory. */
export function addKeptEntity({ plan }: Generation, entity: Entity): void {
  const { one, folder } = entity
  plan.create(`${folder}/${one.kebab}.schemas.ts`, writeSchemas(entity, true))
  plan.create(`${folder}/${one.kebab}.repository.ts`, writeMemoryRepository(entity))
}

function writeTable({ many }: Entity): string {
  const table = many.kebab.replaceAll('-', '_')
  return `import { pgTable, serial, uniqueIndex, varchar } from 'drizzle-orm/pg-core'

// A command may look the name up first, for a better message; under concurrent calls only the index decides.
export const ${many.camel} = pgTable(
  '${table}',
  {
    id: serial().primaryKey(),
    name: varchar({ length: 255 }).notNull(),
  },
  (table) => [uniqueIndex('${table}_name_unique').on(table.name)],
)
`
}

function writeSchemas({ one }: Entity, withInputs: boolean): string {
  const inputs = `
/** Strict: a misspelt key is an error and not ignored. */
export const Create${one.pascal}Input = v.strictObject({ name: ${one.pascal}NameSchema })
export type Create${one.pascal}Input = v.InferOutput<typeof Create${one.pascal}Input>
`
  return `import * as v from 'valibot'

/** The range of PostgreSQL's \`serial\`. */
const ${one.pascal}IdSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1))
const ${one.pascal}NameSchema = ${text}

/** As it is sent on both wires. */
export const ${one.pascal}Schema = v.object({ id: ${one.pascal}IdSchema, name: ${one.pascal}NameSchema })
export type ${one.pascal} = v.InferOutput<typeof ${one.pascal}Schema>
${withInputs ? inputs : ''}`
}

function writeRepository({ one, many }: Entity): string {
  const imports = writeImports([
    ['@twinwire/core/database', 'BaseRepository', 'type Database'],
    [`./${one.kebab}.schemas.ts`, `type ${one.pascal}`],
    [`./${one.kebab}.table.ts`, many.camel],
  ])
  return `${imports}
export class ${one.pascal}Repository extends BaseRepository<typeof ${many.camel}> {
  constructor(db: Database) {
    super(db, ${many.camel})
  }

  findByName(name: string): Promise<${one.pascal} | null> {
    return this.findOne({ name })
  }
}
`
}

function writeMemoryRepository({ one }: Entity): string {
  return `import type { ${one.pascal} } from './${one.kebab}.schemas.ts'

/** In memory: what it has ends with the process. */
export class ${one.pascal}Repository {
  readonly #rows: ${one.pascal}[] = []

  async findByName(name: string): Promise<${one.pascal} | null> {
    return this.#rows.find((row) => row.name === name) ?? null
  }

  async create({ name }: Pick<${one.pascal}, 'name'>): Promise<${one.pascal}> {
    const row = { id: this.#rows.length + 1, name }
    this.#rows.push(row)
    return row
  }

  /** The last 100, newest first. */
  async list(): Promise<${one.pascal}[]> {
    return this.#rows.slice(-100).reverse()
  }

  /** For tests. */
  clear(): void {
    this.#rows.length = 0
  }
}

export const ${one.camel}Repository = new ${one.pascal}Repository()
`
}
