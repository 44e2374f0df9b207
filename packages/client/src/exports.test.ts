import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

// Exported names are a promise. Adding one needs a minor release, removing one a major release: say so in a changeset.

it('@twinwire/client', async () => {
  expect(Object.keys(await import('@twinwire/client')).sort()).toEqual(['CallError', 'createClient'])
})

it('@twinwire/client/protobuf', async () => {
  expect(Object.keys(await import('@twinwire/client/protobuf'))).toEqual(['protobuf'])
})

it('@twinwire/client/react', async () => {
  expect(Object.keys(await import('@twinwire/client/react')).sort()).toEqual(['createHooks'])
})

it('@twinwire/client/internal, which is not published', async () => {
  expect(Object.keys(await import('@twinwire/client/internal')).sort()).toEqual([
    'CallError',
    'Session',
    'createClient',
    'jsonCodec',
    'toAnswer',
    'toHttpRequest',
  ])
  const { publishConfig } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  expect(Object.keys(publishConfig.exports)).not.toContain('./internal')
})
