import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const doors = ['@twinwire/core', '@twinwire/core/database', '@twinwire/core/testing']

describe('the workspace', () => {
  it.each(doors)('serves %s to tests from its sources', (door) => {
    expect(fileURLToPath(import.meta.resolve(door))).toMatch(/packages\/core\/src\/(\w+\/)?index\.ts$/)
  })

  it.each(doors)('serves %s to everybody else from its build', async (door) => {
    // Resolution needs the folder, not the file: this does not depend on whether a build was made.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', `console.log(import.meta.resolve('${door}'))`],
      { cwd: fileURLToPath(new URL('..', import.meta.url)) },
    )
    expect(stdout.trim()).toMatch(/packages\/core\/dist\/(\w+\/)?index\.js$/)
  })

  it('allows the native server on glibc 2.36', () => {
    expect(process.env.TWINWIRE_UWS_COMPAT).toBe('on')
  })
})
