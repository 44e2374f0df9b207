import type { Command, Terminal } from '../command.ts'
import { type GenerateOptions, Generation } from '../generate/generation.ts'
import { generateFeature } from '../generate/kinds/feature.ts'
import { generateCommand, generateEvent, generatePlugin, generateRepository } from '../generate/kinds/parts.ts'
import { generateRoute } from '../generate/kinds/route.ts'
import { FreePkgIds, findGaps, type Model, readModel } from '../generate/model.ts'
import { type Name, parseName } from '../generate/name.ts'
import { Plan } from '../generate/plan.ts'
import { formatFiles, toMigrationWriter } from '../generate/project-tools.ts'
import { parseOptions } from '../parse-options.ts'
import { openProject } from '../project/project.ts'
import { UsageError } from '../usage-error.ts'
import { withProject } from './project-options.ts'

const help = `Usage: twinwire generate <kind> <name> [options]
       twinwire generate --free-ids
       twinwire g …

Adds code and tests to a project as npm create twinwire makes it, and edits its PkgIDs and lists. Nothing is written when
anything is refused. <name>: lower case words with hyphens, such as archive-note.

Kinds:
  feature <name>      A folder with create, list and an event of one entity: tables, schemas, commands, routes, tests
  route <name>        A route on both wires, with a PkgID
  command <name>      A business operation
  repository <name>   Table, schemas and repository of an entity (one of them: comment), with a migration
  event <name>        A package that only the server sends, with a PkgID
  plugin <name>       A plugin with a step

Options:
  --module <feature>  The feature that gets it; default: the only one
  --schema            Of a route: an input of its own
  --paginated         Of a route: answers page by page, from the repository of the feature
  --http <route>      Of a route: method and path, such as "POST /notes/:id/archive"; parameters become inputs
  --roles <role> …    Of a route or a feature: roles that a caller must have; new ones are added to src/roles.ts
  --id <number>       Of a route or an event: its PkgID; default: the next free one
  --overwrite         Replace files that exist, and keep their PkgIDs
  --dry-run           Only print which files would be written
  --free-ids          Print the next free PkgIDs, and the gaps between the taken ones
  --project <folder>  The project; default: the nearest folder with a package.json
  --help, -h          Show this

Exit code:
  0  written
  1  refused, because a file, a name, a PkgID or a path exists already; nothing was written
  2  the arguments or the project are wrong; nothing was written
`

const options = {
  module: { type: 'string' },
  schema: { type: 'boolean', default: false },
  paginated: { type: 'boolean', default: false },
  http: { type: 'string' },
  roles: { type: 'string', multiple: true },
  id: { type: 'string' },
  overwrite: { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  'free-ids': { type: 'boolean', default: false },
  project: { type: 'string' },
} as const

interface Kind {
  readonly generate: (name: Name, generation: Generation) => void
  /** Options that it reads, of those that not every kind does. */
  readonly reads: readonly string[]
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  ['feature', { generate: generateFeature, reads: ['roles'] }],
  ['route', { generate: generateRoute, reads: ['module', 'schema', 'paginated', 'http', 'roles', 'id'] }],
  ['command', { generate: generateCommand, reads: ['module'] }],
  ['repository', { generate: generateRepository, reads: ['module'] }],
  ['event', { generate: generateEvent, reads: ['module', 'id'] }],
  ['plugin', { generate: generatePlugin, reads: [] }],
])

async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions('generate', spreadRoles(args), options)
  if (values['free-ids']) {
    if (positionals.length > 0) throw new UsageError('generate --free-ids takes no name')
    return withProject('generate', terminal, async () => printFreeIds(readModel(openProject(values.project)), terminal))
  }
  const [word, text, ...more] = positionals
  const kind = kinds.get(word ?? '')
  if (word === undefined || kind === undefined)
    throw new UsageError(
      `generate takes a kind, ${[...kinds.keys()].join(', ')}, not ${JSON.stringify(word ?? 'nothing')}`,
    )
  if (text === undefined || more.length > 0)
    throw new UsageError(`generate ${word} takes one name; there are ${positionals.length - 1}`)
  const name = parseName(word, text)
  for (const [option, value] of Object.entries(values))
    if (isOfSomeKinds(option) && value !== undefined && value !== false && !kind.reads.includes(option))
      throw new UsageError(`generate ${word} has no option --${option}`)
  const { overwrite, 'dry-run': isDry } = values
  const wanted: GenerateOptions = {
    module: values.module,
    schema: values.schema,
    paginated: values.paginated,
    roles: (values.roles ?? []).map(checkRole),
    http: values.http,
    id: values.id === undefined ? undefined : checkId(values.id),
  }
  return withProject('generate', terminal, async () => {
    const model = readModel(openProject(values.project))
    const { root, paths } = model.project
    const plan = new Plan(root, overwrite)
    const generation = new Generation(model, plan, wanted)
    kind.generate(name, generation)
    if (plan.refused.length > 0) {
      const reasons = [...new Set(plan.refused)].map((reason) => `  ${reason}\n`).join('')
      terminal.err(`twinwire generate: refused, nothing was written:\n${reasons}`)
      if (!overwrite) terminal.err('--overwrite replaces files, and keeps PkgIDs\n')
      return 1
    }
    const { migration } = generation
    const writeMigration = migration === null ? () => {} : toMigrationWriter(root, paths.migrations, migration)
    const files = plan.files
    if (!isDry)
      plan.write(() => {
        const paths = files.map(({ path }) => path)
        formatFiles(root, paths)
        writeMigration()
      })
    for (const { path, old } of files) terminal.out(`${old === null ? 'create' : 'edit  '}  ${path}\n`)
    if (migration !== null) terminal.out(`create  a migration in ${paths.migrations}\n`)
    if (isDry) terminal.out('dry run: nothing was written\n')
    for (const next of isDry ? [] : generation.next) terminal.out(`next: ${next}\n`)
    return 0
  })
}

const isOfSomeKinds = (option: string): boolean => [...kinds.values()].some(({ reads }) => reads.includes(option))

/** `--roles a b` -> `--roles a --roles b`. */
function spreadRoles(args: readonly string[]): readonly string[] {
  const spread: string[] = []
  let isRoles = false
  for (const [index, arg] of args.entries()) {
    if (arg.startsWith('-')) isRoles = arg === '--roles'
    else if (isRoles && args[index - 1] !== '--roles') spread.push('--roles')
    spread.push(arg)
  }
  return spread
}

function checkRole(role: string): string {
  if (/^[a-z][a-z0-9:._-]*$/i.test(role)) return role
  throw new UsageError(
    `--roles: ${JSON.stringify(role)} is not a role: use letters, digits and : . _ -, a letter first`,
  )
}

function checkId(text: string): number {
  const id = Number(text)
  if (/^\d+$/.test(text) && id >= 1 && id < 2 ** 31) return id
  throw new UsageError(`--id is an integer from 1 to ${2 ** 31 - 1}, not ${JSON.stringify(text)}`)
}

function printFreeIds(model: Model, terminal: Terminal): number {
  const gaps = findGaps(model.pkgIds)
  const [route, event] = (['route', 'event'] as const).map((kind) => new FreePkgIds(model).take(kind))
  terminal.out(`next for a route: ${route}
next for an event: ${event}
gaps: ${gaps.length === 0 ? 'none' : gaps.join(', ')} (do not use a number again that clients know with another meaning)
`)
  return 0
}

export const generate: Command = { help, run }
