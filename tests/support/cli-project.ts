// Small projects of the shape that `npm create twinwire` makes, for the tests of `twinwire generate`.
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { run } from '../../packages/cli/src/run.ts'
import { runNode } from './run-node.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Below `tests`, so that the projects find its packages. */
export const projectsFolder: string = join(root, 'tests/cli-projects.generated')

export interface ProjectKind {
  readonly database: boolean
  readonly roles: boolean
}

export interface CliProject {
  readonly folder: string
  readonly kind: ProjectKind
}

const always = {
  'package.json': '{ "type": "module" }\n',
  'src/pkg-ids.ts': `/** Every kind of package of this application. */
export const PkgID = {
  PING: 1, // the first one
  PINGED: 100,
} as const
`,
  'src/features.ts': `// All features of the application.
import * as pings from './features/pings/feature.ts'

export const routes = { ...pings.routes }
export const events = { ...pings.events }
`,
  'src/features/pings/feature.ts': `import { ping } from './ping.route.ts'
import { pinged } from './pinged.event.ts'

export const routes = { PING: ping }
export const events = { PINGED: pinged }
`,
  'src/features/pings/ping.route.ts': `import { route } from '@twinwire/core'

export const ping = route({ http: 'GET /pings', handler: () => 'pong' })
`,
  'src/features/pings/pinged.event.ts': `import { event } from '@twinwire/core'
import * as v from 'valibot'

export const pinged = event({ data: v.object({}) })
`,
  'src/app.ts': `import { createApp } from '@twinwire/core'
import { events, routes } from './features.ts'
import { PkgID } from './pkg-ids.ts'

/** Only its types are checked here. */
export const createNotesApp = () => createApp({ pkgIds: PkgID, routes, events })
`,
}

const ofDatabase = {
  'src/schema.ts': '// All tables, for drizzle-kit.\n',
  'drizzle.config.ts': `import { defineConfig } from 'drizzle-kit'

export default defineConfig({ dialect: 'postgresql', schema: './src/schema.ts', out: './drizzle' })
`,
}

const ofRoles = {
  'src/roles.ts': `import { defineRoles } from '@twinwire/plugin-auth'

/** Roles of the client of this application. */
export const { requireRoles } = defineRoles(['read', 'write'])
`,
}

const biome = {
  root: true,
  files: { includes: ['**/src/**/*.ts'] },
  formatter: { indentStyle: 'space', lineWidth: 120 },
  javascript: { formatter: { quoteStyle: 'single', semicolons: 'asNeeded' } },
  linter: { rules: { correctness: { noUnusedImports: 'error', noUnusedVariables: 'error' } } },
}

export async function createCliProject(name: string, kind: ProjectKind): Promise<CliProject> {
  const folder = join(projectsFolder, name)
  await rm(folder, { recursive: true, force: true })
  const files = { ...always, ...(kind.database ? ofDatabase : {}), ...(kind.roles ? ofRoles : {}) }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  // Where the command formats with it.
  await writeFile(join(projectsFolder, 'biome.json'), JSON.stringify(biome))
  await mkdir(join(folder, 'node_modules'))
  await symlink(join(root, 'examples/authors/node_modules/drizzle-kit'), join(folder, 'node_modules/drizzle-kit'))
  return { folder, kind }
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
  const tools = [
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', projectsFolder, '--noEmit'],
    [
      join(root, 'node_modules/@biomejs/biome/bin/biome'),
      'check',
      '--error-on-warnings',
      '--max-diagnostics=20',
      ...projects.map(({ folder }) => folder),
    ],
    [join(root, 'tests/node_modules/vitest/vitest.mjs'), 'run', '--root', projectsFolder, '--reporter=dot'],
  ]
  const failures: string[] = []
  for (const args of tools) {
    const { code, output } = await runNode(args, {
      cwd: projectsFolder,
      env: { ...process.env, NODE_OPTIONS: '', CI: 'true' },
    })
    if (code !== 0) failures.push(output)
  }
  return failures.join('\n')
}
