// The blocks of docs_site/api-descriptions.md and docs_site/console.md run, and answer what the pages say.
import { describe, expect, it, vi } from 'vitest'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks, startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('descriptions-page')

describe('the blocks of the pages about descriptions', () => {
  testBlocks(page)

  it('described.ts serves two documents and two pages', async () => {
    const program = startProgram(page.folder, 'described.ts', { PORT: '0' })
    const [docs] = await program.find(/^http:\S+\/docs$/m)
    const read = async (path: string) => (await fetch(new URL(path, docs))).json() as Promise<Record<string, unknown>>
    const document = await read('/openapi.json')
    const shown: unknown = JSON.parse(shownBlocks(readPage('api-descriptions'), 'json')[0] ?? '')
    expect(document).toMatchObject({
      openapi: /^3\.1/.exec(String(document['openapi']))?.input,
      info: { version: '1.4.0' },
    })
    expect(Object(document['components']).schemas.Author).toEqual(shown)
    expect(String((await read('/asyncapi.json'))['asyncapi'])).toMatch(/^3\.0/)
    for (const path of ['/docs', '/docs/websocket']) {
      const answer = await fetch(new URL(path, docs))
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')])
    }
    await program.end()
  })

  it('with-console.ts serves the console in development, and staging needs an access for the documents', async () => {
    const program = startProgram(page.folder, 'with-console.ts', { PORT: '0', ENV: 'dev' })
    const [url] = await program.find(/^http:\S+\/$/m)
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining('<html')])
    expect(await (await fetch(`${url}greet?name=Ada`)).json()).toEqual({ text: 'Hello Ada' })
    for (const document of ['openapi.json', 'asyncapi.json'])
      expect((await fetch(`${url}${document}`)).status).toBe(200)
    await program.end()
    const refused = startProgram(page.folder, 'with-console.ts', { PORT: '0', ENV: 'staging' })
    await refused.find(/openapi\(\).*access/)
  })
})
