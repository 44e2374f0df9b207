import type { Command } from './command.ts'

interface Entry {
  /** Words after `twinwire`. */
  readonly words: readonly string[]
  readonly summary: string
  /** A command is loaded when it is called. */
  load(): Promise<Command>
}

export const commands: readonly Entry[] = [
  {
    words: ['api', 'diff'],
    summary: 'List what changed between two descriptions of an API, and whether it breaks clients',
    load: async () => (await import('./commands/api-diff.ts')).apiDiff,
  },
]
