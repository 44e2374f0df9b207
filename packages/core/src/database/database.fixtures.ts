import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../clock/clock.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { HealthCheck } from '../lifecycle/health.ts'
import type { Logger } from '../log/logger.ts'
import type { PluginHost } from '../plugin/host.ts'

/** One migration of drizzle-kit: the tables of the suite. */
export const tables = `
CREATE TABLE "authors" (
  "id" serial PRIMARY KEY, "name" varchar(40) NOT NULL CONSTRAINT "authors_name_unique" UNIQUE,
  "country" text, "birth_year" integer CONSTRAINT "authors_birth_year_check" CHECK ("birth_year" > 0), "extra" jsonb
);
--> statement-breakpoint
CREATE TABLE "books" (
  "book_isbn" uuid PRIMARY KEY DEFAULT gen_random_uuid(), "title" text NOT NULL,
  "author_id" integer NOT NULL CONSTRAINT "books_author_fk" REFERENCES "authors" ("id") DEFERRABLE
);
`

/** A folder as drizzle-kit makes it, with these files in this order. */
export async function writeMigrations(files: readonly string[] = [tables]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'twinwire-migrations-'))
  await mkdir(join(folder, 'meta'))
  const entries = files.map((_, idx) => ({
    idx,
    version: '7',
    when: idx + 1,
    tag: `000${idx}_test`,
    breakpoints: true,
  }))
  await writeFile(
    join(folder, 'meta', '_journal.json'),
    JSON.stringify({ version: '7', dialect: 'postgresql', entries }),
  )
  await Promise.all(files.map((text, idx) => writeFile(join(folder, `000${idx}_test.sql`), text)))
  return folder
}

/** What the plugin registers, and a clock whose timers run at once. */
export interface FakeHost extends PluginHost {
  readonly mappers: ErrorMapper[]
  readonly checks: Map<string, HealthCheck>
  readonly lines: string[]
  readonly delays: number[]
  close(): Promise<void>
}

export function createFakeHost(environment: PluginHost['environment'] = 'test'): FakeHost {
  const mappers: ErrorMapper[] = []
  const checks = new Map<string, HealthCheck>()
  const hooks: (() => unknown)[] = []
  const lines: string[] = []
  const delays: number[] = []
  const line = (fields: object | string, message?: string): void => {
    lines.push(typeof fields === 'string' ? fields : `${JSON.stringify(fields)} ${message}`)
  }
  const log: Logger = { trace: line, debug: line, info: line, warn: line, error: line, fatal: line, child: () => log }
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    timer(delayMs, callback) {
      delays.push(delayMs)
      setImmediate(callback)
      return { cancel: () => {} }
    },
  }
  const host = {
    environment,
    clock,
    log,
    mappers,
    checks,
    lines,
    delays,
    mapErrors: (mapper: ErrorMapper) => void mappers.push(mapper),
    health: (name: string, check: HealthCheck) => void checks.set(name, check),
    onClose: (hook: () => unknown) => void hooks.push(hook),
    close: async () => {
      for (const hook of hooks.reverse()) await hook()
    },
  }
  // The plugin asks for nothing else; whatever it may ask for one day fails loudly.
  return host as unknown as FakeHost
}
