// The package managers that hosts are installed with: how each installs, and how it removes what only the build needed.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--loglevel=error']
const pnpm = ['npx', '--yes', 'pnpm@10.34.9', 'install', '--prefer-offline', '--no-lockfile', '--reporter=silent']
const yarnEnv = {
  YARN_NODE_LINKER: 'node-modules',
  YARN_ENABLE_IMMUTABLE_INSTALLS: 'false',
  YARN_ENABLE_TELEMETRY: 'false',
  // A registry on this machine has no certificate, and its packages are minutes old.
  YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
  YARN_NPM_MINIMAL_AGE_GATE: '0',
}
const yarn = [
  'env',
  ...Object.entries(yarnEnv).map((each) => each.join('=')),
  'npx',
  '--yes',
  '@yarnpkg/cli-dist@4.18.1',
]

export const installers = {
  npm: {
    install: ['npm', 'install', '--prefer-offline', ...quiet],
    prune: ['npm', 'prune', '--omit=dev', ...quiet],
  },
  // The strict layout: a package reaches what it declares and nothing else. `pnpm prune` wants a lockfile.
  pnpm: { install: pnpm, prune: [...pnpm, '--prod'] },
  yarn: { install: [...yarn, 'install'], prune: [...yarn, 'workspaces', 'focus', '--production'] },
}

/**
 * What the packages need of one another is not on npm: it comes from the tarballs too.
 * @param {string} installer
 * @param {Record<string, string>} direct what the host itself depends on
 * @param {{ name: string, folder: string, tarball: string }[]} packages
 */
export function overridesOf(installer, direct, packages) {
  const needed = packages.flatMap(({ folder }) => {
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return Object.keys(dependencies)
  })
  const overrides = Object.fromEntries(
    packages
      // npm takes what the host itself names.
      .filter(({ name }) => needed.includes(name) && (installer === 'pnpm' || !direct[name]))
      .map(({ name, tarball }) => [name, `file:${tarball}`]),
  )
  return installer === 'pnpm' ? { pnpm: { overrides } } : { overrides }
}
