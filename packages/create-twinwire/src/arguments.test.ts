import { expect, it } from 'vitest'
import { parseArguments } from './arguments.ts'
import { UsageError } from './usage-error.ts'

it('reads the folder and every option', () => {
  const args = ['my-app', '--database', 'embedded', '--auth=none', '--no-limits', '--metrics', '--redis', '--no-page']
  expect(parseArguments([...args, '--package-manager', 'pnpm', '-y'])).toEqual({
    folder: 'my-app',
    options: {
      database: 'embedded',
      auth: 'none',
      limits: false,
      metrics: true,
      redis: true,
      page: false,
      packageManager: 'pnpm',
    },
    yes: true,
    help: false,
    version: false,
  })
})

it('leaves out what was not typed', () => {
  expect(parseArguments([])).toEqual({ folder: undefined, options: {}, yes: false, help: false, version: false })
  expect(parseArguments(['-h', '--version'])).toMatchObject({ help: true, version: true })
})

it.each([
  [['--colour'], 'there is no option --colour: --help lists them'],
  [['-x'], 'there is no option -x: --help lists them'],
  [['--no-database'], 'there is no option --no-database: --help lists them'],
  [['--no-yes'], 'there is no option --no-yes: --help lists them'],
  [['--no-colour'], 'there is no option --no-colour: --help lists them'],
  [['--database', 'mysql'], '--database is postgres, embedded, none, not "mysql"'],
  [['--database'], '--database needs a value: postgres, embedded, none'],
  [['--auth='], '--auth needs a value: keycloak, development, none'],
  [['--auth', '--yes'], '--auth is keycloak, development, none, not "--yes"'],
  [['--package-manager', 'bun'], '--package-manager is npm, pnpm, yarn, not "bun"'],
  [['--limits=no'], '--limits takes no value, and has "no": write --limits or --no-limits'],
  [['--yes=1'], '--yes takes no value, and has "1": write --yes'],
  [['--limits', '--no-limits'], '--limits is given twice: keep one'],
  [['a', 'b'], 'there is one folder, and "b" is a second one: remove it'],
])('%j: %s', (args, message) => {
  expect(() => parseArguments(args)).toThrow(new UsageError(message))
})
