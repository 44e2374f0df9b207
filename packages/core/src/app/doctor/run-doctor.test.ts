import { afterEach, describe, expect, it, vi } from 'vitest'
import { BootError } from '../../base/boot-error.ts'
import { createReport, error, ok, warn } from '../../base/finding.ts'
import { runDoctor } from './run-doctor.ts'

describe('the doctor as a command', () => {
  const before = process.exitCode
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  afterEach(() => {
    process.exitCode = before
    log.mockClear()
  })
  const appWith = (
    ...findings: Parameters<typeof createReport>[0]
  ): { doctor: () => Promise<ReturnType<typeof createReport>> } => ({
    doctor: async () => createReport(findings),
  })

  it('prints a line for each finding, and ends with 1 on an error only [defect 79]', async () => {
    await runDoctor(() => appWith(ok('a', 'Fine'), warn('longer', 'Odd: change it')), { args: [] })
    expect(log).toHaveBeenCalledExactlyOnceWith('ok     a       Fine\nwarn   longer  Odd: change it')
    expect(process.exitCode).toBe(before)
    await runDoctor(async () => appWith(error('a', 'Wrong:\nchange it')), { args: [] })
    expect(log).toHaveBeenLastCalledWith('error  a  Wrong: change it')
    expect(process.exitCode).toBe(1)
  })

  it('prints where it is asked to', async () => {
    const printed: string[] = []
    await runDoctor(() => appWith(ok('a', 'Fine')), { args: [], print: (report) => printed.push(report) })
    expect(printed).toEqual(['ok     a  Fine'])
    expect(log).not.toHaveBeenCalled()
  })

  it('prints JSON', async () => {
    const findings = [warn('a', 'Odd: change it')]
    await runDoctor(() => appWith(...findings), { args: ['--json'] })
    expect(JSON.parse(String(log.mock.lastCall?.[0]))).toEqual({ ok: true, findings })
  })

  it.each([
    [
      "Cannot find package 'drizzle-orm' imported from /app/node_modules/@twinwire/core/dist/database/index.js",
      'drizzle-orm',
    ],
    ["Cannot find package '@scope/name' imported from /app/src/app.ts", '@scope/name'],
    ["Cannot find module 'no-such-package/sub' imported from /app/src/app.ts", 'no-such-package'],
  ])('finds a package that is imported and not there: %s', async (message, name) => {
    const missing = Object.assign(new Error(message), { code: 'ERR_MODULE_NOT_FOUND' })
    const report = await runDoctor(() => Promise.reject(missing), { args: [] })
    const sentence =
      name === 'drizzle-orm'
        ? 'is installed, but cannot be resolved where it is imported: run npm install drizzle-orm there'
        : `is not installed, but the app imports it: npm install ${name}`
    expect(report.findings.at(-1)).toEqual(error(`peer ${name}`, `The package ${name} ${sentence}`))
  })

  it('does not report a missing file of the app as a missing package', async () => {
    const missing = Object.assign(new Error("Cannot find module '/app/src/none.ts'"), { code: 'ERR_MODULE_NOT_FOUND' })
    await expect(runDoctor(() => Promise.reject(missing), { args: [] })).rejects.toBe(missing)
  })

  it('finds an app that cannot be created', async () => {
    const create = (): never => {
      throw new BootError('bad_settings', 'Invalid settings:\n  A is not set\n  B is not set')
    }
    const report = await runDoctor(create, { args: [] })
    expect(report.findings.map(({ check }) => check)).toEqual(['node', 'clock', 'boot'])
    expect(report.findings.at(-1)).toEqual(error('boot', 'Invalid settings: A is not set; B is not set'))
    expect(process.exitCode).toBe(1)
    const fault = runDoctor(() => {
      throw new TypeError('a fault')
    })
    await expect(fault).rejects.toThrow('a fault')
  })
})
