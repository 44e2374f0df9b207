// The blocks of docs_site/client.md: they compile, and they run against the app of the page.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runNode } from '../support/run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const folder = fileURLToPath(new URL('../client-page.generated', import.meta.url))
const run = (args: readonly string[], env = process.env) => runNode(args, { cwd: folder, env })

const page = await readFile(`${root}/docs_site/client.md`, 'utf8')
const blocks = [...page.matchAll(/```tsx?\n([\s\S]*?)```/g)].map(([, code = '']) => code)
const nameOf = (block: string): string | undefined => /^\/\/ ([\w-]+\.tsx?)\n/.exec(block)?.[1]
const named = blocks.filter((block) => nameOf(block) !== undefined)
/** What a block uses without declaring it is from the first steps. */
const steps = blocks.filter((block) => nameOf(block) === undefined)
const prelude = `import { createClient } from '@twinwire/client'
import type { app } from './app.ts'
import manifest from './manifest.json' with { type: 'json' }
import { client } from './client.ts'
`
const stepFile = (index: number): string => `step-${index + 1}.ts`

/** Node.js 20 has no WebSocket. */
const polyfill =
  "import { WebSocket } from 'ws'\nObject.assign(globalThis, { WebSocket: globalThis.WebSocket ?? WebSocket })\n"
const runAll = `import './polyfill.ts'
import { client } from './client.ts'
for (const file of ${JSON.stringify(['main.ts', ...steps.map((_, index) => stepFile(index))])}) {
  await import('./' + file)
  console.log('done', file)
  client.connect()
}
client.close()
`

describe('the blocks of the page about the client', () => {
  let server: ChildProcess | null = null
  beforeAll(async () => {
    await mkdir(folder, { recursive: true })
    const files: Record<string, string> = { 'polyfill.ts': polyfill, 'run-all.ts': runAll }
    for (const block of named) files[String(nameOf(block))] = block
    for (const [index, block] of steps.entries()) files[stepFile(index)] = `${prelude}${block}`
    files['tsconfig.json'] = JSON.stringify({
      extends: '../tsconfig.json',
      // A block uses a part of what precedes it.
      compilerOptions: { noUnusedLocals: false, resolveJsonModule: true, jsx: 'react-jsx' },
      include: ['*.ts', '*.tsx'],
    })
    for (const [name, code] of Object.entries(files)) await writeFile(`${folder}/${name}`, code)
    expect(await run(tsx('write-manifest.ts'))).toMatchObject({ code: 0 })
  }, 180_000)
  afterAll(async () => {
    server?.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  })

  it('are those that are meant', () => {
    const names = ['app.ts', 'write-manifest.ts', 'server.ts', 'client.ts', 'main.ts', 'notes.tsx']
    expect(named.map(nameOf)).toEqual(names)
    expect(steps.length).toBeGreaterThan(10)
  })

  it('type check unchanged', async () => {
    const tsc = await run([`${root}/node_modules/typescript/bin/tsc`, '-p', folder, '--noEmit'])
    expect(tsc).toEqual({ code: 0, output: '' })
  }, 300_000)

  it('run', async () => {
    const env = { ...process.env, PORT: '0', NODE_ENV: 'development', ENV: '' }
    const child = spawn(process.execPath, tsx('server.ts'), { cwd: folder, env })
    server = child
    const url = await new Promise<string>((resolve, reject) => {
      let seen = ''
      const look = (chunk: Buffer): void => {
        seen += chunk.toString()
        const [match] = /http:\/\/127\.0\.0\.1:\d+/.exec(seen) ?? []
        if (match !== undefined) resolve(match)
      }
      child.stdout.on('data', look)
      child.stderr.on('data', look)
      child.once('exit', () => reject(new Error(seen)))
    })
    const { code, output } = await run(tsx('run-all.ts'), { ...process.env, URL: url })
    expect(output).toContain('1 1 1\ndone main.ts\n')
    expect(output).toContain(`done step-${steps.length}`)
    expect({ code, output }).toMatchObject({ code: 0 })
  }, 180_000)
})

function tsx(file: string): readonly string[] {
  return ['--conditions=@twinwire/source', '--import', 'tsx', file]
}
