import { readFile } from 'node:fs/promises'
import type { Terminal } from './command.ts'
import { commands } from './commands.ts'
import { UsageError } from './usage-error.ts'

const toName = ({ words }: (typeof commands)[number]): string => words.join(' ')

const toTitle = (entry: (typeof commands)[number]): string =>
  entry.alias === undefined ? toName(entry) : `${toName(entry)}, ${entry.alias}`

const usage = `Usage: twinwire <command> [options]

Commands:
${commands.map((entry) => `  ${toTitle(entry).padEnd(11)}  ${entry.summary}`).join('\n')}

Options:
  --help, -h     Show this, or the help of a command
  --version, -v  Show the version
`

/** The exit code: 2 for what could not be done, others are the command's own. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    terminal.err(`twinwire: ${error.message}\n`)
    return 2
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first] = args
  if (first === undefined) {
    terminal.err(usage)
    return 2
  }
  if (first === '--help' || first === '-h' || first === 'help') {
    terminal.out(usage)
    return 0
  }
  if (first === '--version' || first === '-v') {
    terminal.out(`${await readVersion()}\n`)
    return 0
  }
  const entry = commands.find(({ words, alias }) => first === alias || words.every((word, i) => args[i] === word))
  if (entry === undefined) return refuse(args, terminal)
  const rest = args.slice(entry.words.length)
  const command = await entry.load()
  const end = rest.indexOf('--')
  if (rest.slice(0, end === -1 ? rest.length : end).some((each) => each === '--help' || each === '-h')) {
    terminal.out(command.help)
    return 0
  }
  return command.run(rest, terminal)
}

function refuse(args: readonly string[], terminal: Terminal): number {
  const [first = ''] = args
  const known = commands.map(toName).join(', ')
  if (first.startsWith('-'))
    throw new UsageError(`there is no option ${first} before a command; the commands are: ${known}`)
  const group = commands.filter(({ words }) => words.length > 1 && words[0] === first)
  if (group.length === 0)
    throw new UsageError(`there is no command ${JSON.stringify(first)}; the commands are: ${known}`)
  const ofGroup = group.map(toName).join(', ')
  if (args[1] === '--help' || args[1] === '-h') {
    terminal.out(usage)
    return 0
  }
  throw new UsageError(
    args[1] === undefined
      ? `${first} needs a second word: ${ofGroup}`
      : `there is no command ${JSON.stringify(`${first} ${args[1]}`)}; there is: ${ofGroup}`,
  )
}

async function readVersion(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  const manifest: unknown = JSON.parse(text)
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest
    ? String(manifest.version)
    : 'unknown'
}
