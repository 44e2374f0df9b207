import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import type { Project } from '../project/project.ts'
import { ProjectError } from '../project/project-error.ts'
import { findExportedObject, parseSource } from './source/edit-source.ts'

export interface PkgId {
  readonly name: string
  readonly id: number
}

/** What the project has already. */
export interface Model {
  readonly project: Project
  /** In the order of the table. */
  readonly pkgIds: readonly PkgId[]
  /** Names in the `events` of features. */
  readonly events: ReadonlySet<string>
  /** Folders with a `feature.ts`. */
  readonly features: readonly string[]
  /** `GET /notes/:` -> the file that declares it. Parameters have no name. */
  readonly routes: ReadonlyMap<string, string>
  /** Tables by their name in the database. */
  readonly tables: ReadonlyMap<string, string>
  /** There is a file of tables. */
  readonly hasDatabase: boolean
  /** There is a file of roles. */
  readonly hasRoles: boolean
}

/** Throws a ProjectError. */
export function readModel(project: Project): Model {
  const { root, paths } = project
  const at = (path: string): string => join(root, path)
  for (const path of [paths.pkgIds, paths.featureList])
    if (!existsSync(at(path)))
      throw new ProjectError(
        `${path} does not exist: generate needs a project as npm create twinwire makes it; twinwire.json can name other paths`,
      )
  const features = existsSync(at(paths.features))
    ? readdirSync(at(paths.features)).filter((name) => existsSync(at(`${paths.features}/${name}/feature.ts`)))
    : []
  const routes = new Map<string, string>()
  const tables = new Map<string, string>()
  for (const path of sourcesIn(root, sourceFolder(paths.features))) {
    const source = ts.createSourceFile(path, readFileSync(at(path), 'utf8'), ts.ScriptTarget.Latest, true)
    collect(source, { routes, tables })
  }
  return {
    project,
    pkgIds: readPkgIds(parseSource(paths.pkgIds, readFileSync(at(paths.pkgIds), 'utf8'))),
    events: new Set(
      features.flatMap((name) => {
        const path = `${paths.features}/${name}/feature.ts`
        return namesOf(findExportedObject(parseSource(path, readFileSync(at(path), 'utf8')), 'events'))
      }),
    ),
    features: features.sort(),
    routes,
    tables,
    hasDatabase: existsSync(at(paths.schema)),
    hasRoles: existsSync(at(paths.roles)),
  }
}

/** The first folder of the path: all sources are in it. */
const sourceFolder = (path: string): string => path.split('/')[0] ?? '.'

function sourcesIn(root: string, folder: string): readonly string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : sourcesIn(root, path)
    return /(?<!\.test|\.d)\.ts$/.test(entry.name) ? [path] : []
  })
}

export function namesOf(object: ts.ObjectLiteralExpression): readonly string[] {
  return object.properties.flatMap(({ name }) => (name !== undefined && isNamed(name) ? [name.text] : []))
}

const isNamed = (name: ts.PropertyName): name is ts.Identifier | ts.StringLiteral =>
  ts.isIdentifier(name) || ts.isStringLiteral(name)

export function readPkgIds(source: ts.SourceFile): readonly PkgId[] {
  return findExportedObject(source, 'PkgID').properties.map((property) => {
    if (ts.isPropertyAssignment(property) && isNamed(property.name) && ts.isNumericLiteral(property.initializer))
      return { name: property.name.text, id: Number(property.initializer.text) }
    throw new ProjectError(`${source.fileName}: ${property.getText()} must be a name and a number: LIST_NOTES: 1`)
  })
}

function collect(
  source: ts.SourceFile,
  { routes, tables }: { readonly routes: Map<string, string>; readonly tables: Map<string, string> },
): void {
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && ts.isStringLiteralLike(node.initializer)) {
      const name = isNamed(node.name) ? node.name.text : ''
      if ((name === 'http' || name === 'route') && isHttp(node.initializer.text))
        routes.set(toShape(node.initializer.text), source.fileName)
    }
    if (ts.isCallExpression(node) && node.expression.getText() === 'pgTable') {
      const [table] = node.arguments
      if (table !== undefined && ts.isStringLiteralLike(table)) tables.set(table.text, source.fileName)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
}

const httpPattern = /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) \/\S*$/

export const isHttp = (text: string): boolean => httpPattern.test(text)

/** Two routes of one shape are the same to the router. */
export const toShape = (http: string): string => http.replace(/:[^/]+/g, ':')

const maxPkgId = 2 ** 31 - 1
const firstEvent = 100

/** Numbers that the next routes and events get. One that was used before is not used again, so they are above all of their kind. */
export class FreePkgIds {
  readonly #taken: Set<number>
  readonly #last: { route: number; event: number }

  constructor({ pkgIds, events }: Pick<Model, 'pkgIds' | 'events'>) {
    this.#taken = new Set(pkgIds.map(({ id }) => id))
    const last = (isEvent: boolean, before: number): number =>
      Math.max(before, ...pkgIds.filter(({ name }) => events.has(name) === isEvent).map(({ id }) => id))
    this.#last = { route: last(false, 0), event: last(true, firstEvent - 1) }
  }

  take(kind: 'route' | 'event'): number {
    let id = this.#last[kind] + 1
    while (this.#taken.has(id)) id += 1
    if (id > maxPkgId) throw new ProjectError(`there is no free PkgID above ${this.#last[kind]}: choose one with --id`)
    this.#taken.add(id)
    this.#last[kind] = id
    return id
  }
}

/** Ranges between the numbers of the table: `4-99`. */
export function findGaps(pkgIds: readonly PkgId[]): readonly string[] {
  const ids = pkgIds.map(({ id }) => id).toSorted((a, b) => a - b)
  return ids.flatMap((id, index) => {
    const [from, to] = [(ids[index - 1] ?? 0) + 1, id - 1]
    return from > to ? [] : [from === to ? String(from) : `${from}-${to}`]
  })
}
