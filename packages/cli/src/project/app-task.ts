import type { AppDescription, AppManifest } from '@twinwire/core'
import type { MigrationEntry } from '@twinwire/core/database'

export type Described = Pick<AppDescription, 'routes' | 'events'>

export interface Migrated {
  /** Before the run. */
  readonly before: readonly MigrationEntry[]
  readonly after: readonly MigrationEntry[]
}

/** What a process that has imported the app is asked, and what it answers. */
export interface AppTasks {
  describe: { readonly answer: Described }
  manifest: { readonly answer: AppManifest }
  /** The report as text, or as JSON. */
  doctor: { readonly answer: { readonly ok: boolean; readonly text: string } }
  migrationStatus: { readonly answer: readonly MigrationEntry[] }
  migrate: { readonly answer: Migrated }
}

export type AppTask = keyof AppTasks

export interface AppRequest {
  readonly task: AppTask
  /** Absolute path of the module. */
  readonly tools: string
  /** The same for messages. */
  readonly toolsName: string
  readonly json: boolean
}

export type AppReply =
  | { readonly answer: unknown }
  /** `stack` is null for an error whose message says what to change. */
  | { readonly failure: string; readonly stack: string | null }

/** The exports of the module, by the task that calls them. */
export const exportOf: Readonly<Record<AppTask, string>> = {
  describe: 'createDescribedApp',
  manifest: 'createDescribedApp',
  doctor: 'createExaminedApp',
  migrationStatus: 'readMigrateOptions',
  migrate: 'readMigrateOptions',
}
