import type { Command } from './command.ts'

interface Entry {
  /** Words after `twinwire`. */
  readonly words: readonly string[]
  /** Another word for the first one. */
  readonly alias?: string
  readonly summary: string
  /** A command is loaded when it is called. */
  load(): Promise<Command>
}

export const commands: readonly Entry[] = [
  {
    words: ['routes'],
    summary: 'List routes and events: PkgIDs, paths, access, steps, limits; or check them in CI',
    load: async () => (await import('./commands/routes.ts')).routes,
  },
  {
    words: ['manifest'],
    summary: 'Print, write or check the manifest that clients import',
    load: async () => (await import('./commands/manifest.ts')).manifest,
  },
  {
    words: ['doctor'],
    summary: 'Examine machine, packages and settings, and say what to change',
    load: async () => (await import('./commands/doctor.ts')).doctor,
  },
  {
    words: ['migrate'],
    summary: 'Apply pending migrations, or list them; forward only',
    load: async () => (await import('./commands/migrate.ts')).migrate,
  },
  {
    words: ['generate'],
    alias: 'g',
    summary: 'Add a feature, route, command, repository, event or plugin to the project',
    load: async () => (await import('./commands/generate.ts')).generate,
  },
  {
    words: ['api', 'diff'],
    summary: 'List what changed between two descriptions of an API, and whether it breaks clients',
    load: async () => (await import('./commands/api-diff.ts')).apiDiff,
  },
]
