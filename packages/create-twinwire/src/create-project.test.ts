import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readWorkspaceVersions } from '../workspace-versions.ts'
import { createProject } from './create-project.ts'
import { defaults } from './options.ts'
import { writeProject } from './project-folder.ts'

const versions = readWorkspaceVersions()
let parent = ''
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'create-twinwire-'))
})
afterEach(() => rm(parent, { recursive: true, force: true }))

it('writes a project into a new folder, also below others, or an empty one with a repository', async () => {
  const folder = join(parent, 'deep', 'my-app')
  const files = await createProject(folder, defaults, versions)
  expect(files).toContain('.gitignore')
  expect(files).toContain('src/features/notes/notes.test.ts')
  expect(files.filter((file) => /(^|\/)dot_/.test(file))).toEqual([])
  expect(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'))).toMatchObject({ name: 'my-app' })

  await mkdir(join(parent, 'cloned', '.git'), { recursive: true })
  await createProject(join(parent, 'cloned'), defaults, versions)
  expect(await readdir(join(parent, 'cloned'))).toContain('package.json')
})

it('overwrites nothing', async () => {
  const folder = join(parent, 'used')
  await mkdir(folder)
  await writeFile(join(folder, 'README.md'), 'mine')
  await expect(createProject(folder, defaults, versions)).rejects.toThrow(
    `${folder} is not empty: it has README.md. Nothing was written: choose another folder, or empty it`,
  )
  expect(await readdir(folder)).toEqual(['README.md'])
  expect(await readFile(join(folder, 'README.md'), 'utf8')).toBe('mine')
  await expect(createProject(join(folder, 'README.md'), defaults, versions)).rejects.toThrow(/upper-case letters/)
  await writeFile(join(parent, 'file'), '')
  await expect(createProject(join(parent, 'file'), defaults, versions)).rejects.toThrow(/is a file, or is below one/)
  await expect(createProject(join(parent, 'file', 'app'), defaults, versions)).rejects.toThrow(/is a file, or is below/)
})

it.each([
  ['My-app', '"My-app" has upper-case letters'],
  ['my app', '"my app" contains " "'],
  ['.hidden', '".hidden" begins with "."'],
  ['node_modules', '"node_modules" is reserved'],
  ['a'.repeat(215), 'has more than 214 characters'],
])('does not take the name %s', async (name, message) => {
  await expect(createProject(join(parent, name), defaults, versions)).rejects.toThrow(message)
  expect(await readdir(parent)).toEqual([])
})

it('removes what it has written when a file cannot be written, and no other file', async () => {
  // The second file is there in the meantime.
  const folder = join(parent, 'app')
  await mkdir(folder)
  await writeFile(join(folder, 'b.txt'), 'of another program')
  const files = new Map([
    ['a/deep/one.txt', '1'],
    ['a.txt', '2'],
    ['b.txt', '3'],
    ['c.txt', '4'],
  ])
  await expect(writeProject(folder, files)).rejects.toMatchObject({ code: 'EEXIST' })
  expect(await readdir(folder)).toEqual(['b.txt'])
  expect(await readFile(join(folder, 'b.txt'), 'utf8')).toBe('of another program')

  // A new folder goes as well.
  await expect(writeProject(join(parent, 'x', 'y'), new Map([...files, ['a.txt/b', '']]))).rejects.toThrow()
  expect(await readdir(parent)).toEqual(['app'])
})

it.skipIf(process.getuid?.() === 0)('says why a folder cannot be read', async () => {
  await mkdir(join(parent, 'closed'))
  await chmod(join(parent, 'closed'), 0)
  await expect(createProject(join(parent, 'closed'), defaults, versions)).rejects.toMatchObject({ code: 'EACCES' })
})
