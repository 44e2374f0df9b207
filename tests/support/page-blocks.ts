// Code blocks of pages of docs_site. Each begins with its name (`// app.ts`); they are files beside the tests, so that they find the packages of the tests.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** By the name of their tests: the pages whose blocks are files. `tests/integration/page-blocks.test.ts` compiles all. */
export const pageTests = {
  'audit-page': ['audit', 'audit-logs'],
  'cli-page': ['cli'],
  'jobs-page': ['jobs'],
  'sessions-page': ['sessions', 'cookies'],
  'static-files-page': ['static-files'],
  'profiling-page': ['profiling'],
  'quick-start-page': ['quick-start'],
  'tasks-page': ['tasks'],
  'tracing-page': ['tracing'],
  'uploads-page': ['uploads-and-streams'],
} as const satisfies Readonly<Record<string, readonly string[]>>

export interface PageBlocks {
  /** Where they are while the tests of the page run. */
  readonly folder: string
  readonly blocks: readonly { readonly name: string; readonly code: string }[]
  /** Of all blocks of the pages, those without a name too. */
  readonly count: number
}

export async function readBlocks(name: keyof typeof pageTests): Promise<PageBlocks> {
  const markdown = await Promise.all(pageTests[name].map((page) => readFile(`${root}/docs_site/${page}.md`, 'utf8')))
  const blocks = markdown.flatMap((text) => [...text.matchAll(/```tsx?\n\/\/ ([\w.-]+\.ts)\n([\s\S]*?)```/g)])
  return {
    folder: fileURLToPath(new URL(`../${name}.generated`, import.meta.url)),
    blocks: blocks.map(([, name = '', code = '']) => ({ name, code })),
    count: markdown.flatMap((text) => [...text.matchAll(/```tsx?\n/g)]).length,
  }
}

/** `files`: others beside them. */
export async function writeBlocks(
  folder: string,
  { blocks }: Pick<PageBlocks, 'blocks'>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const named = blocks.map(({ name, code }): [string, string] => [name, code])
  for (const [name, content] of [...named, ...Object.entries(files)]) {
    await mkdir(dirname(`${folder}/${name}`), { recursive: true })
    await writeFile(`${folder}/${name}`, content)
  }
}

/** In a `describe`: writes them before its tests, and tests that each has a name. */
export function testBlocks(page: PageBlocks, files: Readonly<Record<string, string>> = {}): void {
  beforeAll(() => writeBlocks(page.folder, page, files))
  afterAll(() => rm(page.folder, { recursive: true, force: true }))

  it('have a name each', () => {
    expect(page.blocks.length).toBe(page.count)
  })
}
