// Random sequences of `twinwire generate` leave projects that compile, whose lint is clean and whose generated tests pass; what is refused changes no
// file. `GENERATE_SEQUENCES=200` plays more of them, `GENERATE_SEED` others.
import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ProjectOptions } from '../../packages/create-twinwire/src/options.ts'
import { type CliProject, checkProjects, createCliProject, projectsFolder, runCli } from '../support/cli-project.ts'

const sequences = Number(process.env.GENERATE_SEQUENCES ?? 5)
const seed = Number(process.env.GENERATE_SEED ?? 23)

beforeAll(() => rm(projectsFolder, { recursive: true, force: true }))
afterAll(() => rm(projectsFolder, { recursive: true, force: true }))

const kinds: readonly Partial<ProjectOptions>[] = [
  {},
  { database: 'none', auth: 'none', limits: false, metrics: false },
  { database: 'embedded', auth: 'none', limits: false },
  { database: 'none', auth: 'development' },
]

/** mulberry32: the same numbers for a seed everywhere. */
function createRandom(start: number): () => number {
  let state = start
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const nouns = [
  'notes',
  'tags',
  'orders',
  'categories',
  'news',
  'boxes',
  'sales-orders',
  'a2',
  'very-long-names-of-some-entities-here',
]
const words = [
  'archive-note',
  'rename',
  'count2',
  'export-all',
  'recalculate-the-totals-of-a-sales-order',
  'find',
  'note',
  'box',
]

/** One command, with what it needs picked among names that collide on purpose. */
function createCommand(random: () => number, features: readonly string[]): string[] {
  const pick = <T>(list: readonly [T, ...T[]] | readonly T[]): T => {
    const one = list[Math.floor(random() * list.length)]
    if (one === undefined) throw new Error('an empty list')
    return one
  }
  const some = (...flags: string[]): string[] => (random() < 0.4 ? flags : [])
  const module = ['--module', pick([...features, 'notes'])]
  const overwrite = random() < 0.15 ? ['--overwrite'] : []
  const roles = some('--roles', pick(['read', 'edit']), 'publish')
  switch (pick(['feature', 'feature', 'route', 'route', 'route', 'event', 'command', 'repository', 'plugin'])) {
    case 'feature':
      return ['feature', pick(nouns), ...roles, ...overwrite]
    case 'route':
      return [
        ...['route', pick(words), ...module, ...overwrite, ...roles, ...some('--schema'), ...some('--paginated')],
        ...some(
          '--http',
          pick(['PUT /things/:id', 'DELETE /things/:thing/parts/:part_id', 'GET /things/all', 'POST /notes']),
        ),
      ]
    case 'event':
      return ['event', pick(words), ...module, ...overwrite]
    case 'command':
      return ['command', pick(words), ...module, ...overwrite]
    case 'repository':
      return ['repository', pick(['note', 'comment', 'line-item', 'category']), ...module, ...overwrite]
    default:
      return ['plugin', pick(words), ...overwrite]
  }
}

/** All files with their content. */
async function hashOf({ folder }: CliProject): Promise<string> {
  const hash = createHash('sha256')
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  for (const file of files.filter((each) => !each.includes('node_modules')).sort())
    hash.update(`${file}\0`).update(await readFile(file))
  return hash.digest('hex')
}

test(
  'random sequences leave green projects [defect 77]',
  async () => {
    const projects: CliProject[] = []
    const codes = new Map<number, number>()
    for (let index = 0; index < sequences; index += 1) {
      const random = createRandom(seed * 1000 + index)
      const project = await createCliProject(`p${index}`, kinds[index % kinds.length] ?? {})
      projects.push(project)
      const features: string[] = []
      for (let step = 0; step < 5; step += 1) {
        const args = createCommand(random, features)
        const before = await hashOf(project)
        const { code, output } = await runCli(project, 'generate', ...args)
        codes.set(code, (codes.get(code) ?? 0) + 1)
        const changed = (await hashOf(project)) !== before
        // What has succeeded may have written the same again.
        expect({ index, args, output, changed }).toMatchObject({ changed: code === 0 ? expect.any(Boolean) : false })
        if (code === 0 && args[0] === 'feature') features.push(args[1] ?? '')
      }
    }
    expect(codes.get(0)).toBeGreaterThan(sequences)
    // The app that has all of it starts.
    for (const project of projects.slice(0, 2)) {
      const { code, output } = await runCli(project, 'routes')
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('ADD_NOTE') })
    }
    expect(await checkProjects(projects)).toBe('')
  },
  Math.max(300_000, sequences * 60_000),
)
