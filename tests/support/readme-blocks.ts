// Code blocks of a README: whole files, of which each begins with its name (`// client.ts`) where there are several.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { expect } from 'vitest'
import { runNode } from './run-node.ts'

export type ReadmeBlocks = Readonly<Record<string, string>>

/** By the name of the file. A block that is alone is `main.ts`. */
export async function readReadme(file: string): Promise<ReadmeBlocks> {
  const markdown = await readFile(file, 'utf8')
  const blocks = [
    ...markdown.matchAll(/```(?:tsx?|typescript|jsx?|javascript)\n(?:\/\/ ([\w-]+\.tsx?)\n)?([\s\S]*?)```/g),
  ]
  const named = blocks.map(([, name = 'main.ts', code = '']): [string, string] => [name, code])
  expect(new Set(named.map(([name]) => name)).size, `${file}: names`).toBe(blocks.length)
  return Object.fromEntries(named)
}

/** Also the manifest, if one of them writes it. */
export async function writeReadme(folder: string, blocks: ReadmeBlocks): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, code] of Object.entries(blocks)) await writeFile(`${folder}/${name}`, code)
  if ('write-manifest.ts' in blocks) {
    const args = ['--conditions=@twinwire/source', '--import', 'tsx', 'write-manifest.ts']
    expect(await runNode(args, { cwd: folder, env: { ...process.env, PORT: '0' } })).toMatchObject({ code: 0 })
  }
}

/** Of all files below the folder, which is beside the tests. */
export async function expectToCompile(folder: string, root: string): Promise<void> {
  const settings = {
    extends: '../tsconfig.json',
    compilerOptions: { lib: ['es2023', 'dom', 'dom.iterable', 'dom.asynciterable'], resolveJsonModule: true },
    include: ['**/*.ts'],
  }
  await writeFile(`${folder}/tsconfig.json`, JSON.stringify(settings))
  const tsc = await runNode([`${root}/node_modules/typescript/bin/tsc`, '-p', folder, '--noEmit'], { cwd: folder })
  expect(tsc).toEqual({ code: 0, output: '' })
}
