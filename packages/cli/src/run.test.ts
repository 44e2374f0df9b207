import { expect, it } from 'vitest'
import { commands } from './commands.ts'
import { runTwinwire } from './run.fixtures.ts'

const all = commands.map(({ words }) => words.join(' ')).join(', ')

it('shows its help and its version', async () => {
  for (const flag of ['--help', '-h', 'help']) {
    const { code, out } = await runTwinwire([flag])
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(/Usage: twinwire <command>[\s\S]*api diff {2,}List what changed/),
    ])
  }
  expect(await runTwinwire(['--version'])).toEqual({ code: 0, out: '0.0.0\n', err: '' })
  expect(await runTwinwire(['api', 'diff', 'a', '--help'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('Usage: twinwire api diff <old> <new>'),
  })
  expect(await runTwinwire([])).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Usage') })
})

it.each([
  [['apis'], `there is no command "apis"; the commands are: ${all}`],
  [['--force', 'api', 'diff'], `there is no option --force before a command; the commands are: ${all}`],
  [['api'], 'api needs a second word: api diff'],
  [['api', 'list'], 'there is no command "api list"; there is: api diff'],
  [['api', 'diff'], 'api diff takes two documents, old and new; there are 0'],
  [['api', 'diff', 'a', 'b', 'c'], 'api diff takes two documents, old and new; there are 3'],
  [['api', 'diff', '-', '-'], 'only one of the documents can be the standard input'],
  [['api', 'diff', 'a', 'b', '--format', 'xml'], '--format is text, json, markdown, not "xml"'],
  [['api', 'diff', 'a', 'b', '--review', 'ok'], '--review is fail or pass, not "ok"'],
  [['api', 'diff', 'a', 'b', '--allow', 'everything'], 'there is no rule "everything"'],
  [['api', 'diff', 'a', 'b', '--header', 'secret'], '--header is "name: value"'],
  [['api', 'diff', 'a', 'b', '--header', 'ü: x'], '--header "ü" is not a header of HTTP'],
  [['api', 'diff', 'a', 'b', '--output', 'x'], "Unknown option '--output'"],
  [['api', 'diff', 'a', 'b', '--format'], "'--format <value>' argument missing"],
])('%j is refused', async (args, message) => {
  const { code, out, err } = await runTwinwire(args)
  expect([code, out]).toEqual([2, ''])
  expect(err).toContain(message)
})
