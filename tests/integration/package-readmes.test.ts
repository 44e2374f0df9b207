import { existsSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { expectToCompile, readReadme, writeReadme } from '../support/readme-blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
// Beside the tests, so that they find their packages.
const folder = fileURLToPath(new URL('../package-readmes.generated', import.meta.url))
const packages = readdirSync(`${root}/packages`).filter((name) => existsSync(`${root}/packages/${name}/package.json`))
/** They are commands: no program imports them. */
const commands = ['cli', 'create-twinwire']

it('every program in the README of each package type checks unchanged [defect 81]', async () => {
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  for (const name of packages) {
    const blocks = await readReadme(`${root}/packages/${name}/README.md`)
    const programs = Object.values(blocks).join('\n')
    if (!commands.includes(name)) expect(programs, name).toContain('createApp(')
    await writeReadme(`${folder}/${name}`, blocks)
  }
  await expectToCompile(folder, root)
}, 300_000)
