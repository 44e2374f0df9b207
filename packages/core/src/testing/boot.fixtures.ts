import { expect } from 'vitest'
import {
  type AppOptions,
  BootError,
  type BootErrorCode,
  createApp,
  type EventTable,
  type PkgIds,
  type RouteTable,
} from '../index.ts'
import { createTestLogger, memoryTransport } from '../testing.ts'

/** Boots an app that must not boot. What is wrong is put past the types: here the run time has to find it. */
export async function boot(options: object): Promise<BootError> {
  const defaults = {
    pkgIds: {},
    routes: {},
    environment: 'test',
    log: createTestLogger(),
    transport: memoryTransport(),
  }
  try {
    const app = createApp({ ...defaults, ...options } as unknown as AppOptions<PkgIds, RouteTable, EventTable>)
    await app.ready()
    await app.close()
  } catch (error) {
    if (error instanceof BootError) return error
    throw error
  }
  throw new Error('it booted')
}

/** What a declaration threw. */
export function thrownBy(write: () => unknown): BootError {
  try {
    write()
  } catch (error) {
    if (error instanceof BootError) return error
  }
  throw new Error('no boot error was thrown')
}

/** The code, and one sentence, which names what to change. */
export function expectBootError(error: BootError, code: BootErrorCode, message: string | RegExp): void {
  expect(error.code).toBe(code)
  if (typeof message === 'string') expect(error.message).toBe(message)
  else expect(error.message).toMatch(message)
  expect(error.message).not.toMatch(/\.$|\n/)
}
