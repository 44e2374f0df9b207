import type { PackageManager, ProjectOptions } from './options.ts'
import type { Words } from './template.ts'

/**
 * The folders of templates, in the order in which they are laid over one another, and when each is part of a project. A file is in one of them;
 * `package.json` is merged from all.
 */
export const pieces: ReadonlyArray<readonly [folder: string, condition: string]> = [
  ['base', 'always'],
  ['database', 'database'],
  ['postgres', 'postgres'],
  ['embedded', 'embedded'],
  ['memory', 'not database'],
  ['auth', 'auth'],
  ['limits', 'limits'],
  ['metrics', 'metrics'],
  ['redis', 'redis'],
  ['page', 'page'],
  ['services', 'postgres or redis'],
  ['pnpm', 'pnpm'],
  ['yarn', 'yarn'],
]

/** What the templates write for a package manager. */
interface Commands {
  readonly install: string
  /** In CI and images: what the lockfile says, and nothing else. */
  readonly ci: string
  /** Runs a script of package.json. */
  readonly run: string
  /** Runs a command of a package. */
  readonly exec: string
  /** Removes the development dependencies. */
  readonly prune: string
  /** What an install reads besides package.json. */
  readonly lockfiles: string
}

export function commandsOf(packageManager: PackageManager, pnpm: string): Commands {
  switch (packageManager) {
    case 'npm':
      return {
        install: 'npm install',
        ci: 'npm ci',
        run: 'npm run',
        exec: 'npx',
        prune: 'npm prune --omit=dev',
        lockfiles: 'package-lock.json',
      }
    case 'pnpm':
      return {
        install: 'pnpm install',
        ci: `npx --yes pnpm@${pnpm} install --frozen-lockfile`,
        run: 'pnpm run',
        exec: 'pnpm exec',
        prune: `npx --yes pnpm@${pnpm} prune --prod`,
        lockfiles: 'pnpm-lock.yaml pnpm-workspace.yaml',
      }
    case 'yarn':
      return {
        install: 'yarn install',
        ci: 'yarn install --frozen-lockfile',
        run: 'yarn run',
        exec: 'yarn run',
        prune: 'yarn install --frozen-lockfile --production --ignore-scripts --prefer-offline',
        lockfiles: 'yarn.lock .yarnrc.yml',
      }
  }
}

/** `pnpm`: its version. */
export function wordsOf(name: string, options: ProjectOptions, pnpm: string): Words {
  const { database, auth, limits, metrics, redis, page, packageManager } = options
  return {
    facts: new Map(
      Object.entries({
        always: true,
        database: database !== 'none',
        postgres: database === 'postgres',
        embedded: database === 'embedded',
        auth: auth !== 'none',
        keycloak: auth === 'keycloak',
        limits,
        metrics,
        redis,
        page,
        npm: packageManager === 'npm',
        pnpm: packageManager === 'pnpm',
        yarn: packageManager === 'yarn',
      }),
    ),
    values: new Map(Object.entries({ name, packageManager, pnpmVersion: pnpm, ...commandsOf(packageManager, pnpm) })),
  }
}
