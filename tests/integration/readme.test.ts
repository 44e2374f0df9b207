import { spawn } from 'node:child_process'
import { rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { programEnv } from '../support/page-origin.ts'
import { expectToCompile, readReadme, writeReadme } from '../support/readme-blocks.ts'
import { runNode } from '../support/run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const folder = fileURLToPath(new URL('../readme.generated', import.meta.url))
const flags = ['--conditions=@twinwire/source', '--import', 'tsx']
const blocks = await readReadme(`${root}/README.md`)
const writeManifest = `import { writeFile } from 'node:fs/promises'
import { app } from './main.ts'

await writeFile('manifest.json', JSON.stringify(app.manifest()))
await app.close()
`

describe('the application of the README', () => {
  beforeAll(() => writeReadme(folder, { ...blocks, 'write-manifest.ts': writeManifest }), 120_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('is short', () => {
    const lines = blocks['main.ts']?.split('\n').filter((line) => line.trim() !== '').length
    expect(lines).toBeGreaterThan(20)
    expect(lines).toBeLessThanOrEqual(42)
  })

  it('type checks unchanged, with its client and its plugins [defect 81]', async () => {
    expect(Object.keys(blocks)).toEqual(['main.ts', 'client.ts', 'plugins.ts'])
    await expectToCompile(folder, root)
  }, 300_000)

  it('runs, answers, and stops with 0', async () => {
    const child = spawn(process.execPath, [...flags, 'main.ts'], {
      cwd: folder,
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
      // Its client, at the address of this server.
      const client = String(blocks['client.ts']).replace('http://localhost:8000', url)
      await writeFile(`${folder}/client-here.ts`, client)
      expect(
        await runNode([...flags, 'client-here.ts'], { cwd: folder, env: { ...process.env, ...programEnv } }),
      ).toEqual({
        code: 0,
        output: 'read\n2\n',
      })
    } finally {
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      expect(await exited).toBe(0)
    }
  }, 120_000)
})
