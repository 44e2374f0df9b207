// A page that takes its types from an app has nothing of that app in its bundle.
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { bundle } from '../support/bundle.ts'
import { compile } from '../support/compiler.ts'

const page = `
import { createClient } from '@twinwire/client'
import manifest from '../../examples/authors/manifest.json' with { type: 'json' }
import type { createAuthorsApp } from '../../examples/authors/src/app.ts'

const client = createClient<ReturnType<typeof createAuthorsApp>>({ url: 'https://api.example.com', manifest })
const author = await client.call('CREATE_AUTHOR', { name: 'Ursula' }, { wire: 'http' })
client.on('AUTHOR_CREATED', ({ id }) => console.log(id))
console.log(author.name)
`
const withHooks = `
import { createHooks } from '@twinwire/client/react'
import type { createAuthorsApp } from '../../examples/authors/src/app.ts'

export const { useCall, TwinwireProvider } = createHooks<ReturnType<typeof createAuthorsApp>>()
`
const platforms = ['browser', 'neutral'] as const

/** Where the modules of a bundle are from. */
async function modulesOf(source: string, platform: (typeof platforms)[number]) {
  const { metafile, text } = await bundle({ source }, { platform, minify: true, external: ['react'] })
  const [output] = Object.values(metafile.outputs)
  const used = Object.entries(output?.inputs ?? {}).filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  return {
    text,
    inputs: Object.keys(metafile.inputs),
    used: used.map(([path]) => path),
    imports: output?.imports ?? [],
  }
}

const ofClient = (path: string): boolean => /(^|\/)packages\/client\/src\//.test(path)

describe.each(platforms)('a bundle for %s', (platform) => {
  test('has the client and the manifest, and nothing of the app', async () => {
    const { inputs, imports, text } = await modulesOf(page, platform)
    expect(inputs.filter((path) => !ofClient(path))).toEqual(['../examples/authors/manifest.json', 'support/page.ts'])
    expect(imports).toEqual([])
    expect(text).not.toMatch(/node:|require\(|uWebSockets|valibot|drizzle/)
    // Else nothing was looked at.
    expect(inputs.filter(ofClient).length).toBeGreaterThan(10)
    expect(text).toContain('CREATE_AUTHOR')
  })

  test('has nothing of the hooks unless it uses them, and then nothing of the wires', async () => {
    expect((await modulesOf(page, platform)).inputs.filter((path) => /react/.test(path))).toEqual([])
    const { used, imports } = await modulesOf(withHooks, platform)
    expect(new Set(imports.map(({ path }) => path))).toEqual(new Set(['react']))
    expect(used.filter((path) => /connection|session|http/.test(path))).toEqual([])
    expect(used.filter((path) => /client\/src\/react/.test(path)).length).toBeGreaterThan(3)
  })
})

test('the page is typed by the app', () => {
  const wrong = "await client.call('CREATE_AUTOR', { name: 'Ursula' })\nawait client.call('CREATE_AUTHOR', { name: 7 })"
  const { errors } = compile(page + wrong)
  expect(errors).toEqual([expect.stringContaining('CREATE_AUTOR'), expect.stringContaining("'number'")])
}, 300_000)

test('a value import of the app would be found', async () => {
  const wrong = `${page}\nimport { PkgID } from '../../examples/authors/src/pkg-ids.ts'\nconsole.log(PkgID)`
  const { inputs } = await modulesOf(wrong, 'browser')
  expect(inputs.filter((path) => !ofClient(path))).toContain('../examples/authors/src/pkg-ids.ts')
})

test('the hooks add at most 2 KB to the client', async () => {
  const sizes = await Promise.all(
    [page, page + withHooks].map(async (source) => gzipSync((await modulesOf(source, 'browser')).text).length),
  )
  const [alone = 0, both = 0] = sizes
  expect(both).toBeGreaterThan(alone)
  expect(both - alone).toBeLessThan(2048)
})
