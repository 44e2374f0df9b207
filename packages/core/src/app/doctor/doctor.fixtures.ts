import type { Machine } from '../../base/machine.ts'

/** A machine on which everything is right, but for what is said. */
export function createMachine(differences: Partial<Machine> = {}): Machine {
  const machine: Machine = {
    node: '22.12.0',
    abi: '127',
    platform: 'linux',
    arch: 'x64',
    glibc: '2.41',
    variables: {},
    isMainThread: true,
    migratesConnections: null,
    manifest: {
      name: '@twinwire/core',
      engines: { node: '^20.19 || ^22.12 || ^24' },
      peerDependencies: {
        '@electric-sql/pglite': '^0.5.16',
        'drizzle-orm': '>=0.45 <0.46',
        postgres: '^3.4.9',
        valibot: '^1.5.0',
      },
    },
    find: (name) => {
      const version = {
        '@electric-sql/pglite': '0.5.20',
        'drizzle-orm': '0.45.4',
        postgres: '3.4.9',
        valibot: '1.6.1',
      }[name]
      return version === undefined ? null : { version, folder: `/modules/${name}` }
    },
    importer: () => machine.manifest,
    ...differences,
  }
  return machine
}
