import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { defaults } from './options.ts'
import { ask } from './questions.ts'

const [enter, down, space, cancel] = ['\r', '\u001b[B', ' ', '\u0003']
const nothing = { folder: undefined, options: {}, yes: false, help: false, version: false }

/** Types `keys` one after the other, each as soon as the question has been printed that it answers. */
async function answer(
  asked: Parameters<typeof ask>[0],
  keys: ReadonlyArray<readonly [question: string, keys: string]>,
) {
  const terminal = { input: new PassThrough(), output: new PassThrough() }
  const open = [...keys]
  let printed = ''
  terminal.output.setEncoding('utf8').on('data', (text) => {
    printed += text
    const [next] = open
    if (next === undefined || !printed.includes(next[0])) return
    open.shift()
    printed = ''
    // Once the question listens.
    setImmediate(() => terminal.input.write(next[1]))
  })
  const answers = await ask(asked, defaults, terminal)
  expect(open).toEqual([])
  return answers
}

it('asks for everything, and Enter takes what is suggested', async () => {
  const answers = await answer(nothing, [
    ['Folder', enter],
    ['Database', enter],
    ['Users sign in at', enter],
    ['With', enter],
    ['Package manager', enter],
  ])
  expect(answers).toEqual({ folder: 'my-app', options: defaults })
})

it('asks only for what was not typed', async () => {
  const typed = {
    ...nothing,
    folder: 'notes',
    options: { auth: 'none', limits: false, packageManager: 'pnpm' },
  } as const
  const answers = await answer(typed, [
    ['Database', down + enter],
    ['With', space + enter],
  ])
  expect(answers).toEqual({
    folder: 'notes',
    options: {
      database: 'embedded',
      auth: 'none',
      limits: false,
      metrics: false,
      redis: false,
      page: true,
      packageManager: 'pnpm',
    },
  })
})

it('is null when the user cancels', async () => {
  expect(await answer(nothing, [['Folder', cancel]])).toBeNull()
  expect(await answer({ ...nothing, folder: 'notes' }, [['Database', cancel]])).toBeNull()
})
