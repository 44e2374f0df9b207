import type { Command, Terminal } from '../command.ts'
import { parseOptions } from '../parse-options.ts'
import { askApp } from '../project/ask-app.ts'
import { openProject } from '../project/project.ts'
import { compareRoutes, readAgreedRoutes, toAgreedRoutes } from '../routes/agreed-routes.ts'
import { toRoutesTable } from '../routes/routes-table.ts'
import { UsageError } from '../usage-error.ts'
import {
  appOptions,
  appOptionsHelp,
  handleAgreedFile,
  refuseBoth,
  refusePositionals,
  withProject,
} from './project-options.ts'

const help = `Usage: twinwire routes [options]

Lists the routes and events of the app, endpoints of plugins included: PkgID, path, access and roles, steps, limits.
It calls createDescribedApp() of the project, and listens on nothing.

Options:
  --json              Print all that the app says of them, as JSON
  --check <file>      Compare with a file of agreed routes, for CI
  --update <file>     Write that file
${appOptionsHelp}
  --help, -h          Show this

Exit code:
  0  done, or the file agrees with the app
  1  the file differs from the app; the differences are printed
  2  the app could not be read
`

const options = {
  ...appOptions,
  json: { type: 'boolean', default: false },
  check: { type: 'string' },
  update: { type: 'string' },
} as const

function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions('routes', args, options)
  const { check, update, json, tools } = values
  refusePositionals('routes', positionals)
  refuseBoth('routes', check, update)
  if (json && (check !== undefined || update !== undefined))
    throw new UsageError(
      'routes: --json prints the routes; --check and --update read and write a file: use one of them',
    )
  return withProject('routes', terminal, async () => {
    const project = openProject(values.project)
    const described = await askApp('describe', { project, tools, terminal })
    const agreed = toAgreedRoutes(described)
    const code = await handleAgreedFile({
      command: 'routes',
      check,
      update,
      text: toText(agreed),
      terminal,
      compare: (old, file) => compareRoutes(readAgreedRoutes(old, file), agreed),
    })
    if (code !== null) return code
    terminal.out(json ? toText(described) : toRoutesTable(described))
    return 0
  })
}

const toText = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

export const routes: Command = { help, run }
