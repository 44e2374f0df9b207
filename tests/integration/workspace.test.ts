import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const doors = ['@twinwire/core', '@twinwire/core/database', '@twinwire/core/testing']

describe('the workspace', () => {
  it.each(doors)('serves %s to tests from its sources', (door) => {
    expect(fileURLToPath(import.meta.resolve(door))).toMatch(/\/core\/src\/(\w+\/)?index\.ts$/)
  })

  it.each(doors)('serves %s to everybody else from its build', async (door) => {
    // Only resolved, not loaded: it need not have been built, and then the link to the package is not followed.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', `console.log(import.meta.resolve('${door}'))`],
      { cwd: fileURLToPath(new URL('..', import.meta.url)) },
    )
    expect(stdout.trim()).toMatch(/\/core\/dist\/(\w+\/)?index\.js$/)
  })
})
