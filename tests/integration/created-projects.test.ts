// The projects of create-twinwire, by combination of their options: parsed, linted and type checked. tests/package/create.mjs installs and runs one.
// CREATE_COMBINATIONS=all takes all of them, else a set in which each value of an option meets each of the others.
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { composeProject } from '../../packages/create-twinwire/src/compose-project.ts'
import { combinationsFor, type ProjectOptions, packageManagers } from '../../packages/create-twinwire/src/options.ts'
import { readWorkspaceVersions } from '../../packages/create-twinwire/workspace-versions.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that they find the packages.
const folder = join(root, 'tests', 'created-projects.generated')
const versions = readWorkspaceVersions()
const all = combinationsFor(packageManagers)
const chosen = process.env.CREATE_COMBINATIONS === 'all' ? all : coverPairs(all)
const projects = chosen.map((options, index) => ({
  name: `project-${index}`,
  options,
  files: composeProject('my-app', options, versions),
}))

afterAll(() => rm(folder, { recursive: true, force: true }))

/** A small set of combinations with every pair of values of two options. */
function coverPairs(combinations: readonly ProjectOptions[]): readonly ProjectOptions[] {
  const pairsOf = (options: ProjectOptions): string[] => {
    const values = Object.entries(options).map(([name, value]) => `${name}=${value}`)
    return values.flatMap((one, index) => values.slice(index + 1).map((other) => `${one} ${other}`))
  }
  const open = new Set(combinations.flatMap(pairsOf))
  const taken: ProjectOptions[] = []
  while (open.size > 0) {
    const gain = (options: ProjectOptions): number => pairsOf(options).filter((pair) => open.has(pair)).length
    const next = combinations.reduce((best, each) => (gain(each) > gain(best) ? each : best))
    for (const pair of pairsOf(next)) open.delete(pair)
    taken.push(next)
  }
  return taken
}

async function writeAll(target: string): Promise<void> {
  for (const { name, files } of projects)
    for (const [path, text] of files) {
      await mkdir(dirname(join(target, name, path)), { recursive: true })
      await writeFile(join(target, name, path), text)
    }
}

it('every combination has files that parse, and names what it imports in its package.json', () => {
  expect(all).toHaveLength(3 * 3 * 16 * 3)
  for (const options of all) {
    const files = composeProject('my-app', options, versions)
    const manifest: unknown = JSON.parse(files.get('package.json') ?? '')
    expect(manifest).toMatchObject({ name: 'my-app', dependencies: { '@twinwire/core': '^0.0.0' } })
    for (const [path, text] of files) {
      if (/\.json$/.test(path)) JSON.parse(text)
      if (/\.ya?ml$/.test(path)) parse(text)
      expect(text, path).not.toMatch(/(^|\n)\s*(\/\/|#|<!--):|\{\{[a-zA-Z]/)
      expect(text.endsWith('\n') || path.startsWith('drizzle/'), path).toBe(true)
    }
    const used = new Set([...files].flatMap(([path, text]) => (path.endsWith('.ts') ? importsOf(text) : [])))
    // `drizzle-orm` and the drivers of the database are loaded by core.
    expect([...used].filter((name) => !files.get('package.json')?.includes(`"${name}":`))).toEqual([])
  }
})

function importsOf(text: string): string[] {
  const names = [...text.matchAll(/(?:from|import\(|import) '([^'.][^']*)'/g)].map(([, name = '']) => name)
  return names
    .filter((name) => !name.startsWith('node:'))
    .map((name) => (name.startsWith('@') ? name.split('/').slice(0, 2).join('/') : (name.split('/')[0] ?? '')))
}

it('a set of combinations is formatted and has no finding of its linter', async () => {
  // Outside of the repository, which has a configuration of its own.
  const outside = await mkdtemp(join(tmpdir(), 'created-projects-'))
  try {
    await writeAll(outside)
    for (const { name, options } of projects) {
      const biome = spawnSync(join(root, 'node_modules/.bin/biome'), ['check', '.'], { cwd: join(outside, name) })
      expect(biome.status, `${JSON.stringify(options)}\n${biome.stdout}${biome.stderr}`).toBe(0)
    }
  } finally {
    await rm(outside, { recursive: true, force: true })
  }
}, 120_000)

it('a set of combinations type checks [defect 81]', async () => {
  await writeAll(folder)
  const page = projects.find(({ options }) => options.page)
  // One program for all: most of its time is core. With the library of the page, which is in some of them.
  const config = {
    extends: `./${page?.name}/web/tsconfig.json`,
    compilerOptions: { customConditions: ['@twinwire/source'] },
    include: ['*/**/*.ts'],
    exclude: [],
  }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', folder], { cwd: root })
  expect(String(tsc.stdout)).toBe('')
  expect(tsc.status).toBe(0)
}, 300_000)
