// Code blocks of pages of docs_site. Each begins with its name (`// app.ts`); they are files beside the tests, so that they find the packages of the tests.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sitePages } from './site-pages.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** By the name of their tests: pages whose blocks are run, and pages that share files. Any other page is by itself. */
export const pageTests = {
  'audit-page': ['audit', 'audit-logs'],
  'cli-page': ['cli'],
  'client-page': ['client'],
  'client-react-page': ['client-react'],
  'coming-from': [
    'coming-from/index',
    'coming-from/fastify',
    'coming-from/nestjs',
    'coming-from/trpc',
    'coming-from/socket-io',
  ],
  'cluster-page': ['cluster'],
  'database-page': ['database', 'transactions'],
  'descriptions-page': ['api-descriptions', 'console'],
  'jobs-page': ['jobs'],
  'realtime-page': ['realtime'],
  'sessions-page': ['sessions', 'cookies'],
  'static-files-page': ['static-files'],
  'once-page': ['once', 'outbox'],
  'profiling-page': ['profiling'],
  'quick-start-page': ['quick-start'],
  recipes: [
    'recipes/index',
    'recipes/chat',
    'recipes/upload-progress',
    'recipes/webhooks',
    'recipes/slow-service',
    'recipes/soft-delete',
    'recipes/changes',
    'recipes/list',
    'recipes/daily',
  ],
  'tasks-page': ['tasks'],
  'testing-page': ['testing'],
  'tracing-page': ['tracing'],
  'uploads-page': ['uploads-and-streams'],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** Blocks that need other settings of the compiler: their tests compile them. By `pageTests` and block. */
export const otherSettings: readonly string[] = ['coming-from/nestjs/theirs.ts']

/** The pages of each folder of files: those of `pageTests`, and every other page by itself. */
export function pageGroups(): ReadonlyMap<string, readonly string[]> {
  const grouped = new Set<string>(Object.values(pageTests).flat())
  // The blocks of the tutorial are files of examples/tutorial, which tutorial.test.ts compiles.
  const pages = sitePages().filter((page) => !grouped.has(page) && !page.startsWith('tutorial/'))
  return new Map<string, readonly string[]>([
    ...Object.entries(pageTests),
    ...pages.map((page): [string, string[]] => [page, [page]]),
  ])
}

export interface PageBlocks {
  /** Where they are while the tests of the page run. */
  readonly folder: string
  readonly blocks: readonly { readonly name: string; readonly code: string }[]
  /** Blocks of html that begin with a name: `<!-- public/index.html -->`. */
  readonly documents: PageBlocks['blocks']
  /** Of all blocks of the pages, those without a name too. */
  readonly count: number
}

/** `name`: of a test, or a page. `beside`: a folder of its own, for a test that runs beside another one of the page. */
export async function readBlocks(
  name: keyof typeof pageTests | (string & {}),
  beside: string = name,
): Promise<PageBlocks> {
  const markdown = await Promise.all(
    (pageGroups().get(name) ?? []).map((page) => readFile(`${root}/docs_site/${page}.md`, 'utf8')),
  )
  const blocks = markdown.flatMap((text) => [
    ...text.matchAll(/```(?:tsx?|js)\n\/\/ ([\w./-]+\.(?:tsx?|js))\n([\s\S]*?)```/g),
  ])
  const documents = markdown.flatMap((text) => [...text.matchAll(/```html\n<!-- ([\w./-]+\.html) -->\n([\s\S]*?)```/g)])
  return {
    folder: fileURLToPath(new URL(`../${beside.replaceAll('/', '-')}.generated`, import.meta.url)),
    blocks: blocks.map(([, name = '', code = '']) => ({ name, code })),
    documents: documents.map(([, name = '', code = '']) => ({ name, code })),
    count: markdown.flatMap((text) => [...text.matchAll(/```(?:ts|tsx|typescript|js|javascript)\b/g)]).length,
  }
}

export async function writeBlocks(
  folder: string,
  { blocks, documents = [] }: Pick<PageBlocks, 'blocks'> & Partial<PageBlocks>,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  const named = [...blocks, ...documents].map(({ name, code }): [string, string] => [name, code])
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
