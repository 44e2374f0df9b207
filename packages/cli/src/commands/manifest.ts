import type { Command, Terminal } from '../command.ts'
import { findJsonChanges } from '../json-changes.ts'
import { parseOptions } from '../parse-options.ts'
import { askApp } from '../project/ask-app.ts'
import { openProject } from '../project/project.ts'
import { ProjectError } from '../project/project-error.ts'
import {
  appOptions,
  appOptionsHelp,
  handleAgreedFile,
  refuseBoth,
  refusePositionals,
  withProject,
} from './project-options.ts'

const help = `Usage: twinwire manifest [options]

Prints the manifest of the app, which clients import: names with their PkgIDs, methods and paths, close codes.
It calls createDescribedApp() of the project, and listens on nothing.

Options:
  --check <file>      Compare with a file, for CI
  --update <file>     Write that file
${appOptionsHelp}
  --help, -h          Show this

Exit code:
  0  done, or the file agrees with the app
  1  the file differs from the app; the differences are printed
  2  the app could not be read
`

const options = { ...appOptions, check: { type: 'string' }, update: { type: 'string' } } as const

function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions('manifest', args, options)
  const { check, update, tools } = values
  refusePositionals('manifest', positionals)
  refuseBoth('manifest', check, update)
  return withProject('manifest', terminal, async () => {
    const project = openProject(values.project)
    const found = await askApp('manifest', { project, tools, terminal })
    const text = `${JSON.stringify(found, null, 2)}\n`
    const compare = (old: string, file: string) => findJsonChanges(parse(old, file), found)
    const code = await handleAgreedFile({ command: 'manifest', check, update, text, terminal, compare })
    if (code !== null) return code
    terminal.out(text)
    return 0
  })
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new ProjectError(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export const manifest: Command = { help, run }
