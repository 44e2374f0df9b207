// ARCHITECTURE.md and the pages of decisions name only files that exist; it names every module, and stays short.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
const [, tree = ''] = /```text\n([\s\S]*?)```/.exec(page) ?? []
const withoutBlocks = (text: string): string => text.replace(/```[\s\S]*?```/g, '')
const prose = withoutBlocks(page)
/** Paths of the page start at one of these. */
const starts = ['', 'packages', 'packages/core/src'].map((each) => join(root, each))

const isThere = (path: string): boolean => starts.some((start) => existsSync(join(start, path)))
const namedFiles = (text: string): string[] => [
  ...new Set([...text.matchAll(/`([\w@./-]+(?:\.(?:ts|mjs|cjs|md|json)|\/))`/g)].map(([, path = '']) => path)),
]

/** Directories of the tree, by their indentation, each with the files that its line names. */
function entriesOfTree(): { directory: string; files: string[] }[] {
  const parents: { indent: number; path: string }[] = []
  return tree
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, space = '', name = '', rest = ''] = /^( *)(\S+\/)(.*)$/.exec(line) ?? []
      while (parents.length > 0 && (parents.at(-1)?.indent ?? 0) >= space.length) parents.pop()
      const directory = `${parents.at(-1)?.path ?? ''}${name}`
      parents.push({ indent: space.length, path: directory })
      return { directory, files: rest.match(/[\w.-]+\.(?:ts|mjs|md)\b/g) ?? [] }
    })
}

describe('ARCHITECTURE.md', () => {
  it('names files and directories that exist [defect 82]', () => {
    const named = namedFiles(prose)
    expect(named.length).toBeGreaterThan(150)
    expect(named.filter((path) => !isThere(path) && !isOfPlugin(path))).toEqual([])
  })

  it('draws a tree of what exists', () => {
    const entries = entriesOfTree()
    expect(entries.length).toBeGreaterThan(25)
    const missing = entries.flatMap(({ directory, files }) =>
      ['', ...files].map((file) => join(directory, file)).filter((path) => !existsSync(join(root, path))),
    )
    expect(missing).toEqual([])
  })

  it('draws every module of core [defect 82]', () => {
    const core = join(root, 'packages/core/src')
    const modules = readdirSync(core).filter((name) => statSync(join(core, name)).isDirectory())
    const drawn = new Set(entriesOfTree().map(({ directory }) => directory))
    expect(modules.filter((name) => !drawn.has(`packages/core/src/${name}/`))).toEqual([])
  })

  it('has no paragraph of more than six lines', () => {
    const paragraphs = prose
      .split(/\n\s*\n|\n(?=- |#)/)
      .filter((each) => !each.trimStart().startsWith('|'))
      .filter((each) => each.trim().split('\n').length > 6)
    expect(paragraphs).toEqual([])
  })
})

describe('docs_site/decisions', () => {
  const folder = join(root, 'docs_site/decisions')
  const pages = readdirSync(folder).map((name): [string, string] => [
    name,
    withoutBlocks(readFileSync(join(folder, name), 'utf8')),
  ])

  it.each(pages)('%s names files that exist', (_name, text) => {
    expect(namedFiles(text).filter((path) => !isThere(path))).toEqual([])
  })

  it('name files', () => {
    expect(pages.flatMap(([, text]) => namedFiles(text)).length).toBeGreaterThan(60)
  })

  it.each(pages)('%s has a reason below each heading, and no heading twice', (_name, text) => {
    const headings = [...text.matchAll(/^## (.*)\n\n(?=[^#\s])/gm)].map(([, heading]) => heading)
    expect(headings.length).toBe(text.match(/^## /gm)?.length ?? 0)
    expect(headings).toEqual([...new Set(headings)])
  })
})

describe('docs_site/reliability.md', () => {
  it('names tests that exist', () => {
    const promises = readFileSync(join(root, 'docs_site/reliability.md'), 'utf8')
    const named = [...promises.matchAll(/`([\w./-]+\.test\.ts)`/g)].map(([, path = '']) => path)
    expect(named.length).toBeGreaterThan(15)
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

/** `token/` and the like, in the table of plugins. */
function isOfPlugin(path: string): boolean {
  return [
    'plugin-auth',
    'plugin-ratelimit',
    'plugin-metrics',
    'plugin-openapi',
    'plugin-audit',
    'plugin-otel',
    'plugin-profiling',
    'redis',
    'broker-redis',
  ].some((name) => existsSync(join(root, 'packages', name, 'src', path)))
}
