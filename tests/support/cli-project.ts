// Projects of create-twinwire, for the tests of `twinwire generate`.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { run } from '../../packages/cli/src/run.ts'
import { composeProject } from '../../packages/create-twinwire/src/compose-project.ts'
import { defaults, type ProjectOptions } from '../../packages/create-twinwire/src/options.ts'
import { readWorkspaceVersions } from '../../packages/create-twinwire/workspace-versions.ts'
import { runNode } from './run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const versions = readWorkspaceVersions()
/** Below `tests`, so that the projects find its packages. */
export const projectsFolder: string = join(root, 'tests/cli-projects.generated')

export interface CliProject {
  readonly folder: string
}

export async function createCliProject(name: string, options: Partial<ProjectOptions>): Promise<CliProject> {
  const folder = join(projectsFolder, name)
  await rm(folder, { recursive: true, force: true })
  for (const [path, text] of composeProject('my-app', { ...defaults, page: false, ...options }, versions)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  await mkdir(join(folder, 'node_modules'))
  await symlink(join(root, 'examples/authors/node_modules/drizzle-kit'), join(folder, 'node_modules/drizzle-kit'))
  return { folder }
}

/** `twinwire …` in the project, in this process. */
export async function runCli({ folder }: CliProject, ...args: string[]): Promise<{ code: number; output: string }> {
  let output = ''
  const print = (text: string): void => {
    output += text
  }
  const terminal = { stdin: Readable.from([]), out: print, err: print }
  return { code: await run([...args, '--project', folder], terminal), output }
}

const compilerOptions = { noUnusedLocals: true, noUnusedParameters: true, types: ['node'] }

/** Type check, lint and tests of all projects, each once. Output is empty when all of it is fine. */
export async function checkProjects(projects: readonly CliProject[]): Promise<string> {
  const include = projects.map(({ folder }) => `${folder}/src/**/*.ts`)
  const configs = {
    'tsconfig.json': JSON.stringify({ extends: '../tsconfig.json', compilerOptions, include }),
    'vitest.config.mjs': `const conditions = ['@twinwire/source', 'node']
export default {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  // Modules are loaded once for all files: most of the time is the database in the process.
  test: { pool: 'forks', maxWorkers: 2, isolate: false, testTimeout: 60_000, hookTimeout: 120_000, include: ['**/src/**/*.test.ts'] },
}
`,
  }
  for (const [name, text] of Object.entries(configs)) await writeFile(join(projectsFolder, name), text)
  const [tsc, biome, vitest] = [
    join(root, 'node_modules/typescript/bin/tsc'),
    join(root, 'node_modules/@biomejs/biome/bin/biome'),
    join(root, 'tests/node_modules/vitest/vitest.mjs'),
  ]
  const failures: string[] = []
  const check = async (cwd: string, args: readonly string[]): Promise<void> => {
    const { code, output } = await runNode(args, { cwd, env: { ...process.env, NODE_OPTIONS: '', CI: 'true' } })
    if (code !== 0) failures.push(`${cwd}\n${output}`)
  }
  await check(projectsFolder, [tsc, '-p', projectsFolder, '--noEmit'])
  for (const { folder } of projects) await check(folder, [biome, 'check', '--error-on-warnings', '.'])
  await check(projectsFolder, [vitest, 'run', '--root', projectsFolder, '--reporter=dot'])
  return failures.join('\n')
}
