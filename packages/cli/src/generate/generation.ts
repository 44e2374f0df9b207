import ts from 'typescript'
import { UsageError } from '../usage-error.ts'
import { FreePkgIds, isHttp, type Model, namesOf, readPkgIds, toShape } from './model.ts'
import type { Name } from './name.ts'
import type { Plan } from './plan.ts'
import {
  findArrayOfCall,
  findExportedObject,
  insertElement,
  insertFrom,
  readDeclaredNames,
} from './source/edit-source.ts'

export interface GenerateOptions {
  /** The feature that gets it. */
  readonly module: string | undefined
  readonly schema: boolean
  readonly paginated: boolean
  readonly roles: readonly string[]
  readonly http: string | undefined
  readonly id: number | undefined
}

/** One run of `generate`: what it may ask of the project, and the changes that several kinds need. */
export class Generation {
  readonly model: Model
  readonly plan: Plan
  readonly options: GenerateOptions
  /** What to do next, for people. */
  readonly next: string[] = []
  /** Tables were added, so that a migration is needed. Null: none were. */
  migration: string | null = null
  readonly #free: FreePkgIds

  constructor(model: Model, plan: Plan, options: GenerateOptions) {
    this.model = model
    this.plan = plan
    this.options = options
    this.#free = new FreePkgIds(model)
  }

  get paths(): Model['project']['paths'] {
    return this.model.project.paths
  }

  /** The folder of a feature, without a `/` at the end. */
  folder(feature: string): string {
    return `${this.paths.features}/${feature}`
  }

  /** The way from the folder of a feature to a file of the project. */
  up(path: string): string {
    const depth = this.folder('x').split('/')
    const target = path.split('/')
    let same = 0
    while (same < depth.length && same < target.length - 1 && depth[same] === target[same]) same += 1
    return `${'../'.repeat(depth.length - same)}${target.slice(same).join('/')}`
  }

  /** The feature of --module, or the only one. Throws a UsageError. */
  feature(): string {
    const { features } = this.model
    const { module } = this.options
    if (module !== undefined) {
      if (features.includes(module)) return module
      throw new UsageError(
        `there is no feature ${JSON.stringify(module)} in ${this.paths.features}: ${list(features)}; twinwire generate feature makes one`,
      )
    }
    const [only, ...others] = features
    if (only !== undefined && others.length === 0) return only
    throw new UsageError(`name the feature with --module: ${list(features)}`)
  }

  /** Adds a PkgID, or keeps its number. */
  addPkgId({ constant }: Name, kind: 'route' | 'event'): void {
    const { options, plan } = this
    plan.edit(this.paths.pkgIds, (source) => {
      const known = readPkgIds(source)
      const own = known.find(({ name }) => name === constant)
      if (own !== undefined) {
        if (!plan.overwrite) plan.refused.push(`the PkgID ${constant} already exists: ${own.id}`)
        return null
      }
      const id = options.id ?? this.#free.take(kind)
      const taken = known.find((each) => each.id === id)
      if (taken !== undefined) plan.refused.push(`the PkgID ${id} is that of ${taken.name}`)
      const table = findExportedObject(source, 'PkgID')
      // In the order of the numbers, where the table is in that order.
      const behind = known.findLastIndex((each) => each.id < id)
      return insertElement(table, `${constant}: ${id}`, table.properties[behind])
    })
  }

  /** Adds a route or an event to the lists of its feature. */
  addToFeature(feature: string, list: 'routes' | 'events', name: Name, file: string): void {
    const path = `${this.folder(feature)}/feature.ts`
    const isThere = (source: ts.SourceFile): boolean =>
      namesOf(findExportedObject(source, list)).includes(name.constant)
    this.plan.edit(path, (source) => {
      if (isThere(source)) return null
      return insertElement(findExportedObject(source, list), `${name.constant}: ${name.camel}`)
    })
    this.#import(path, `./${file}`, `{ ${name.camel} }`, name.camel)
  }

  /** Adds a feature to the list of features. */
  addFeature({ kebab, camel }: Name): void {
    const path = this.paths.featureList
    const from = toRelative(path, `${this.folder(kebab)}/feature.ts`)
    for (const name of ['routes', 'events']) {
      this.plan.edit(path, (source) => {
        const object = findExportedObject(source, name)
        const spread = `...${camel}.${name}`
        return object.properties.some((each) => each.getText() === spread) ? null : insertElement(object, spread)
      })
    }
    this.#import(path, from, `* as ${camel}`, camel)
  }

  #import(path: string, from: string, what: string, name: string): void {
    this.plan.edit(path, (source) => {
      const isThere = source.statements.some(
        (each) =>
          ts.isImportDeclaration(each) &&
          ts.isStringLiteral(each.moduleSpecifier) &&
          each.moduleSpecifier.text === from,
      )
      if (isThere) return null
      if (readDeclaredNames(source).has(name)) this.plan.refused.push(`${path} already uses the name ${name}`)
      return insertFrom(source, from, `import ${what} from '${from}'`)
    })
  }

  /** Adds a table to the file of tables. Throws a UsageError in a project without a database. */
  addTable(name: Name, path: string): void {
    const { plan, model } = this
    const table = name.kebab.replaceAll('-', '_')
    const other = model.tables.get(table)
    if (other !== undefined && other !== path) plan.refused.push(`the table ${table} is already in ${other}`)
    const from = toRelative(this.paths.schema, path)
    plan.edit(this.paths.schema, (source) =>
      source.text.includes(`'${from}'`) ? null : insertFrom(source, from, `export { ${name.camel} } from '${from}'`),
    )
    if (other === undefined) this.migration = table
  }

  /** Adds roles that are new. Throws a UsageError in a project without users. */
  addRoles(): void {
    const { roles } = this.options
    if (roles.length === 0) return
    if (!this.model.hasRoles)
      throw new UsageError(
        `--roles: this project has no ${this.paths.roles}, so it has no users: install @twinwire/plugin-auth first`,
      )
    for (const role of roles)
      this.plan.edit(this.paths.roles, (source) => {
        const known = findArrayOfCall(source, 'defineRoles')
        const isKnown = known.elements.some((each) => ts.isStringLiteral(each) && each.text === role)
        return isKnown ? null : insertElement(known, `'${role}'`)
      })
  }

  /** Refuses a method and path that another file has. */
  checkPath(http: string, path: string): void {
    const other = this.model.routes.get(toShape(http))
    if (other !== undefined && other !== path) this.plan.refused.push(`${http} is already the route of ${other}`)
    const first = http.split('/')[1] ?? ''
    if (ofPlugins.has(first))
      this.plan.refused.push(`${http}: paths below /${first} are those of core or of a plugin: choose another one`)
  }
}

/** First parts of paths that core and the plugins serve. */
const ofPlugins = new Set([
  'asyncapi.json',
  'audit-logs',
  'auth',
  'development',
  'docs',
  'health',
  'metrics',
  'openapi.json',
  'profiling',
  'web',
  'ws',
])

export function checkHttp(http: string): string {
  if (isHttp(http) && /^\S+ \/(?:[\w.~-]+|:[a-z]\w*)(?:\/(?:[\w.~-]+|:[a-z]\w*))*$/.test(http)) return http
  throw new UsageError(`--http is a method and a path, such as "POST /notes/:id/archive", not ${JSON.stringify(http)}`)
}

const list = (names: readonly string[]): string => (names.length === 0 ? 'there is none' : names.join(', '))

function toRelative(from: string, to: string): string {
  const [a, b] = [from.split('/').slice(0, -1), to.split('/')]
  let same = 0
  while (same < a.length && same < b.length - 1 && a[same] === b[same]) same += 1
  const up = a.length - same
  return `${up === 0 ? './' : '../'.repeat(up)}${b.slice(same).join('/')}`
}
