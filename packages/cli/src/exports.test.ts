import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

it('twinwire is a program, and exports nothing', () => {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  expect(manifest).toMatchObject({
    bin: { twinwire: './dist/main.js' },
    exports: { './package.json': './package.json' },
  })
  // For `generate` only, which is loaded when it is called.
  expect(manifest).toMatchObject({ dependencies: { typescript: expect.any(String) } })
})
