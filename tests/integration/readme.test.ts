import { spawn } from 'node:child_process'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const file = fileURLToPath(new URL('../readme-app.generated.ts', import.meta.url))
const project = fileURLToPath(new URL('../tsconfig.generated.json', import.meta.url))

describe('the application of the README', () => {
  let lines = 0
  beforeAll(async () => {
    const readme = await readFile(`${root}/README.md`, 'utf8')
    const [, code = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? []
    lines = code.split('\n').filter((line) => line.trim() !== '').length
    await writeFile(file, code)
    await writeFile(
      project,
      JSON.stringify({ extends: './tsconfig.json', include: [], files: ['readme-app.generated.ts'] }),
    )
  })
  afterAll(() => Promise.all([file, project].map((each) => rm(each, { force: true }))))

  it('is short', () => {
    expect(lines).toBeGreaterThan(20)
    expect(lines).toBeLessThanOrEqual(42)
  })

  it('type checks unchanged [defect 81]', async () => {
    expect(await run(['node_modules/typescript/bin/tsc', '-p', project, '--noEmit'])).toEqual({ code: 0, output: '' })
  }, 300_000)

  it('runs, answers, and stops with 0', async () => {
    const child = spawn(process.execPath, ['--conditions=@twinwire/source', '--import', 'tsx', file], {
      cwd: root,
      env: { ...process.env, PORT: '0', NODE_ENV: 'development', ENV: '' },
    })
    try {
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
      const add = (title: unknown): Promise<Response> =>
        fetch(`${url}/tasks`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ title }),
        })
      const [made, again, wrong] = [await add('write'), await add('write'), await add(7)]
      expect([made.status, again.status, wrong.status]).toEqual([201, 409, 422])
      expect(await (await fetch(`${url}/tasks`)).json()).toEqual([{ id: 1, title: 'write' }])
    } finally {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      expect(await exited).toBe(0)
    }
  }, 120_000)
})

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, args, { cwd: root })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    // All of its output has been read then.
    child.once('close', (code) => resolve({ code, output }))
  })
}
