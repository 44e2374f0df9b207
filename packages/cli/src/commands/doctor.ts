import type { Command, Terminal } from '../command.ts'
import { parseOptions } from '../parse-options.ts'
import { askApp } from '../project/ask-app.ts'
import { openProject } from '../project/project.ts'
import { appOptions, appOptionsHelp, refusePositionals, withProject } from './project-options.ts'

const help = `Usage: twinwire doctor [options]

Examines the machine, the installed packages and the settings of the app, and says what to change. It calls
createExaminedApp() of the project, and neither listens nor connects.

Options:
  --json              Print JSON
${appOptionsHelp}
  --help, -h          Show this

Exit code:
  0  no finding is an error
  1  a finding is an error; settings that are refused and missing packages are findings
  2  the app could not be read
`

const options = { ...appOptions, json: { type: 'boolean', default: false } } as const

function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const { values, positionals } = parseOptions('doctor', args, options)
  const { json, tools } = values
  refusePositionals('doctor', positionals)
  return withProject('doctor', terminal, async () => {
    const { ok, text } = await askApp('doctor', { project: openProject(values.project), tools, terminal, json })
    terminal.out(`${text}\n`)
    return ok ? 0 : 1
  })
}

export const doctor: Command = { help, run }
