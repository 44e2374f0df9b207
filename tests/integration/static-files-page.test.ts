// The blocks of docs_site/static-files.md: they compile, and what is in them runs.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createTestApp } from '@twinwire/core/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runNode } from '../support/run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that it finds their packages.
const folder = fileURLToPath(new URL('../static-files-page.generated', import.meta.url))
const run = (args: readonly string[]) => runNode(args, { cwd: root })

const page = await readFile(`${root}/docs_site/static-files.md`, 'utf8')
const blocks = [...page.matchAll(/```ts\n\/\/ ([\w.-]+\.ts)\n([\s\S]*?)```/g)]

describe('the blocks of the page about static files', () => {
  beforeAll(async () => {
    await mkdir(`${folder}/public`, { recursive: true })
    await writeFile(`${folder}/public/index.html`, '<p>')
    for (const [, name = '', code = ''] of blocks) await writeFile(`${folder}/${name}`, code)
    await writeFile(`${folder}/tsconfig.json`, JSON.stringify({ extends: '../tsconfig.json', include: ['*.ts'] }))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  it('have a name each', () => {
    expect(blocks.length).toBe([...page.matchAll(/```tsx?\n/g)].length)
  })

  it('type check unchanged', async () => {
    expect(await run([`${root}/node_modules/typescript/bin/tsc`, '-p', folder, '--noEmit'])).toEqual({
      code: 0,
      output: '',
    })
  }, 300_000)

  it('run', async () => {
    const { testPage } = await import(`${folder}/test-page.ts`)
    expect(await testPage(`${folder}/public`)).toBe('<p>')
    const { exportAuthors } = await import(`${folder}/export.ts`)
    const { getInvoice } = await import(`${folder}/invoices.ts`)
    const app = await createTestApp({ pkgIds: {}, routes: {}, endpoints: [exportAuthors, getInvoice] })
    const { headers } = await app.request('GET /export')
    expect(headers['content-disposition']).toContain("filename*=UTF-8''%C3%9Cbersicht.csv")
    expect((await app.request('GET /invoices/0')).status).toBe(404)
    await app.close()
    const { app: shown } = await import(`${folder}/app.ts`)
    expect(shown).toBeDefined()
  })
})
