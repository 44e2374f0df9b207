import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('create-twinwire is a program, exports nothing and installs nothing', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(manifest).toMatchObject({
    bin: { 'create-twinwire': './dist/main.js' },
    exports: { './package.json': './package.json' },
    files: ['dist', 'templates', 'CHANGELOG.md'],
  })
  expect(manifest).not.toHaveProperty('dependencies')
})
