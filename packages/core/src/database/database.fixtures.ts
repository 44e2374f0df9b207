import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { dropSafe } from '../base/drop-safe.ts'
import { Instruments } from '../base/instruments.ts'
import type { Logger } from '../base/logger.ts'
import { Rejections } from '../call/rejections.ts'
import type { ErrorMapper } from '../errors/normalize.ts'
import type { HealthCheck } from '../plugin/health.ts'
import type { PluginHost } from '../plugin/host.ts'
import { ddl } from './testing/suites/tables.ts'

export { ddl as tables } from './testing/suites/tables.ts'

/** A folder as drizzle-kit makes it, with these files in this order. */
export async function writeMigrations(files: readonly string[] = [ddl]): Promise<string> {
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

/** What the plugin registers, and a clock whose short timers run at once, and whose long ones never do. */
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
      if (delayMs > 4000) return { cancel: () => {} }
      delays.push(delayMs)
      const handle = setImmediate(callback)
      return { cancel: () => clearImmediate(handle) }
    },
  }
  const instruments = new Instruments()
  const rejections = new Rejections(instruments, log)
  const dropSafeOf: PluginHost['dropSafe'] = (work, name, call = null) =>
    dropSafe(work, name, rejections.listenerOf(call))
  const host = {
    environment,
    instruments,
    dropSafe: dropSafeOf,
    doctor: () => {},
    clock,
    log,
    mappers,
    checks,
    lines,
    delays,
    mapErrors: (mapper: ErrorMapper) => void mappers.push(mapper),
    health: (name: string, check: HealthCheck) => void checks.set(name, check),
    onReady: () => {},
    onClose: (hook: () => unknown) => void hooks.push(hook),
    close: async () => {
      for (const hook of hooks.reverse()) await hook()
    },
  }
  // The plugin asks for nothing else; whatever it may ask for one day fails loudly.
  return host as unknown as FakeHost
}
