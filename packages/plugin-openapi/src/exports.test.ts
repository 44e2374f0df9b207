import { expect, it } from 'vitest'

it('@twinwire/plugin-openapi', async () => {
  expect(Object.keys(await import('@twinwire/plugin-openapi')).sort()).toMatchInlineSnapshot(`
    [
      "consoleFolder",
      "openapi",
    ]
  `)
})
