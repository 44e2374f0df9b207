// Tools of others read the document: their types compile, and a client that they make gets answers.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import openapiTypescript, { astToString } from 'openapi-typescript'
import { expect, it } from 'vitest'
import { parseJson, startEverything } from './everything.fixtures.ts'

const folder = fileURLToPath(new URL('..', import.meta.url))
const typescript = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

const program = `
import createClient from 'openapi-fetch'
import type { components, paths } from './api.js'

type Author = components['schemas']['Author']
const client = createClient<paths>({ baseUrl: process.argv[2] ?? '' })

export async function run(): Promise<readonly unknown[]> {
  const { data, error } = await client.POST('/bills/{id}/payments', {
    params: { path: { id: '7' }, query: { dry_run: true } },
    body: { amount: 12.5, token: 't' },
  })
  const receipt: string | undefined = data?.receipt
  const refused = await client.POST('/bills/{id}/payments', {
    params: { path: { id: '7' } },
    body: { amount: -1, token: 't' },
  })
  const code: string | undefined = refused.error?.error?.code
  // @ts-expect-error -- amount is a number
  const wrong = () => client.POST('/bills/{id}/payments', { params: { path: { id: '7' } }, body: { amount: 'x', token: 't' } })
  const one = await client.GET('/authors/{author_id}', { params: { path: { author_id: 1 } }, headers: { authorization: 'x' } })
  const author: Author | undefined = one.data
  return [receipt, error, code, author?.name, typeof wrong]
}

console.log(JSON.stringify(await run()))
`

it('openapi-typescript reads it, and a client of openapi-fetch compiles and gets answers', async () => {
  const { address, request, close } = await startEverything({}, { transport: 'uws' })
  const document = parseJson((await request('GET /openapi.json')).text)
  const types = astToString(await openapiTypescript(JSON.stringify(document)))
  // Beside the package, so that it finds the client.
  const at = await mkdtemp(join(folder, 'client.generated-'))
  try {
    await writeFile(join(at, 'api.d.ts'), types)
    await writeFile(join(at, 'client.mts'), program)
    await writeFile(
      join(at, 'tsconfig.json'),
      JSON.stringify({
        compilerOptions: {
          strict: true,
          module: 'nodenext',
          target: 'es2022',
          lib: ['es2023', 'dom'],
          types: ['node'],
          typeRoots: [join(folder, '../../node_modules/@types')],
          skipLibCheck: true,
          outDir: 'out',
        },
        files: ['client.mts', 'api.d.ts'],
      }),
    )
    const compiled = spawnSync(process.execPath, [typescript, '-p', join(at, 'tsconfig.json')])
    expect(String(compiled.stdout)).toBe('')
    const ran = await promisify(execFile)(process.execPath, [join(at, 'out', 'client.mjs'), address.url])
    expect(JSON.parse(ran.stdout)).toEqual(['AQ==', null, 'validation_error', 'A', 'function'])
  } finally {
    await rm(at, { recursive: true, force: true })
    await close()
  }
}, 180_000)
