import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const entryPoints = [
  '@twinwire/core',
  '@twinwire/core/plugin',
  '@twinwire/core/settings',
  '@twinwire/core/transport',
  '@twinwire/core/database',
  '@twinwire/core/testing',
]

describe('the workspace', () => {
  it.each(entryPoints)('serves %s to tests from its sources', (entryPoint) => {
    expect(fileURLToPath(import.meta.resolve(entryPoint))).toMatch(/\/core\/src\/\w+\.ts$/)
  })

  it.each(entryPoints)('serves %s to everything else from its build', async (entryPoint) => {
    // Only resolved, not loaded: it need not have been built, and then the link to the package is not followed.
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', `console.log(import.meta.resolve('${entryPoint}'))`],
      { cwd: fileURLToPath(new URL('..', import.meta.url)) },
    )
    expect(stdout.trim()).toMatch(/\/core\/dist\/(?:\w+\/)?\w+\.js$/)
  })
})
