// The pages of docs_site/tutorial and the folders of examples/tutorial: they are the same, compile, pass their own tests, and print what the pages show.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { hasNginx } from '../support/nginx.ts'
import { hasPostgres, startPostgres } from '../support/postgres.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { runNode } from '../support/run-node.ts'
import {
  commandsOf,
  packageOf,
  pageNames,
  readFolder,
  readPackage,
  readPage,
  root,
  steps,
  tutorial,
} from '../support/tutorial-pages.ts'
import { compareOutput, TutorialPlayer } from '../support/tutorial-player.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 300_000 })

it('each step has a folder and a page', () => {
  expect(pageNames).toEqual([...steps, 'index'])
})

describe.each(steps)('the page of %s', (step) => {
  const files = readFolder(step)
  const index = steps.indexOf(step)
  const before = index === 0 ? new Map<string, string>() : readFolder(steps[index - 1] ?? '')

  it('shows each file of the folder that differs from the step before, and no other', () => {
    const shown = new Map(readPage(step).flatMap((block) => (block.kind === 'file' ? [[block.name, block.text]] : [])))
    for (const [name, text] of shown) expect(files.get(name), name).toBe(text)
    const differing = [...files].filter(([name, text]) => before.get(name) !== text).map(([name]) => name)
    expect([...shown.keys()].sort()).toEqual(differing.sort())
    const removed = [...before.keys()].filter((name) => !files.has(name))
    const commands = commandsOf(step).filter((line) => /^rm (?!-)/.test(line))
    expect(removed.sort()).toEqual(commands.flatMap((line) => line.slice('rm '.length).split(' ')).sort())
  })

  it('makes the package by its commands', () => {
    const made = packageOf(step)
    const { type, scripts = {}, dependencies = {}, devDependencies = {} } = readPackage(step)
    expect({ type, scripts }).toEqual({ type: made.type, scripts: made.scripts })
    for (const [has, asked] of [
      [dependencies, made.dependencies],
      [devDependencies, made.devDependencies],
    ] as const) {
      expect(Object.keys(has)).toEqual(Object.keys(asked).sort())
      for (const [name, version] of Object.entries(asked)) expect(has[name], name).toMatch(new RegExp(`^${version}`))
    }
  })
})

it('they compile, with their pages', async () => {
  expect(await runNode([join(root, 'node_modules/typescript/bin/tsc'), '-p', tutorial], { cwd: root })).toEqual({
    code: 0,
    output: '',
  })
})

it('their own tests pass', async () => {
  const { code, output } = await runNode(
    [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--config', join(tutorial, 'vitest.config.ts')],
    { cwd: root, env: { ...process.env, NO_COLOR: '1', VITEST: '', VITEST_POOL_ID: '', VITEST_WORKER_ID: '' } },
  )
  expect(code, output).toBe(0)
  for (const step of steps) expect(output).toMatch(new RegExp(`✓ ${step}/src/`))
})

const withTables = steps.filter((step) => readFolder(step).has('drizzle.config.ts'))

it.each(withTables)('drizzle-kit has nothing to add to the migrations of %s', async (step) => {
  const names = [...readFolder(step).keys()].filter((name) => name.startsWith('drizzle/')).sort()
  const { code, output } = await runNode(
    ['--conditions=@twinwire/source', 'node_modules/drizzle-kit/bin.cjs', 'generate'],
    {
      cwd: join(tutorial, step),
    },
  )
  const added = [...readFolder(step).keys()].filter((name) => name.startsWith('drizzle/') && !names.includes(name))
  for (const name of added) await rm(join(tutorial, step, name))
  expect(added, output).toEqual([])
  expect(output).toContain('No schema changes')
  expect(code).toBe(0)
})

const withPage = steps.filter((step) => readFolder(step).has('web/page.ts'))
const tsx = import.meta.resolve('tsx')

it.each(withPage)('the manifest of %s is that of its app', async (step) => {
  const args = ['manifest', '--check', 'web/manifest.json']
  expect(
    await runNode(['--conditions=@twinwire/source', '--import', tsx, join(root, 'packages/cli/src/main.ts'), ...args], {
      cwd: join(tutorial, step),
    }),
  ).toMatchObject({ code: 0 })
})

const hasServices = (await hasPostgres()) && (await hasRedis()) && hasNginx()

describe.skipIf(!hasServices)('the commands', () => {
  let redis: TestRedis
  beforeAll(async () => {
    // The pages use the default prefix, so this is not one that others use too.
    redis = await startRedis({ own: true })
  })
  afterAll(() => redis.stop())

  it.each(steps)('of %s print what the page shows', async (step) => {
    const blocks = readPage(step)
    const services: Record<string, string> = { REDIS_URL: redis.url }
    if (commandsOf(step).some((line) => /DATABASE_URL=|--env-file=/.test(line))) {
      const postgres = await startPostgres()
      onTestFinished(() => postgres.stop())
      services['DATABASE_URL'] = postgres.url
    }
    const player = await TutorialPlayer.open(step, services)
    onTestFinished(() => player.close())
    // A page that begins with an empty list prints the same for those who have done it before.
    const rounds = commandsOf(step).includes('rm -rf .data') ? 2 : 1
    for (let round = 1; round <= rounds; round++) {
      let printed = ''
      for (const block of blocks) {
        if (block.kind === 'commands') printed = await player.run(block.lines)
        if (block.kind === 'output') compareOutput(block.language, player.toPage(printed), block.text)
      }
    }
  })
})

it.skipIf(!hasChromium())('the page shows to bob what ann adds, and who is there, also after a restart', async () => {
  const step = withPage[0] ?? ''
  await build({
    entryPoints: [join(tutorial, step, 'web/page.ts')],
    outfile: join(tutorial, step, 'public/page.js'),
    bundle: true,
    format: 'esm',
    conditions: ['@twinwire/source'],
  })
  const player = await TutorialPlayer.open(step, {})
  onTestFinished(() => player.close())
  const printed = await player.run(['npm run dev'])
  const addressOf = (name: string): string => new RegExp(`page of ${name} +(\\S+)`).exec(printed)?.[1] ?? ''
  const browser = await startChromium()
  onTestFinished(() => browser.close())
  const [ann, bob] = [await browser.newPage(), await browser.newPage()]
  await ann.goto(addressOf('ann'))
  await bob.goto(addressOf('bob'))
  await expect.poll(() => ann.locator('#members').textContent()).toBe('ann, bob')
  await ann.getByLabel('What is missing?').fill('milk')
  await ann.getByRole('button', { name: 'Add' }).click()
  await bob.getByText('1 × milk').waitFor()
  await bob.getByRole('button', { name: 'Bought' }).click()
  await expect.poll(() => bob.getByRole('alert').textContent()).toBe('You need the role edit-list')
  await ann.getByRole('button', { name: 'Bought' }).click()
  await expect.poll(() => bob.locator('li').count()).toBe(0)

  // Its tokens outlive a restart, so both come back by themselves, and the list is kept.
  await player.run(['npm run dev'])
  for (const page of [ann, bob])
    await expect.poll(() => page.locator('#status').textContent(), { timeout: 60_000 }).toBe('open')
  await ann.getByLabel('What is missing?').fill('eggs')
  await ann.getByRole('button', { name: 'Add' }).click()
  await bob.getByText('1 × eggs').waitFor()
})
