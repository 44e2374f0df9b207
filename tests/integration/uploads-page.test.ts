// The blocks of docs_site/uploads-and-streams.md: they compile, and the routes in them work over both transports.
import { execFile } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type AnyEndpoint, event, staticFiles } from '@twinwire/core'
import { createTestApp, onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import { openEvents } from '../../packages/core/src/testing/event-reader.fixtures.ts'
import { hasChromium, startChromium } from '../support/chromium.ts'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { readPage, shownBlocks, startProgram } from '../support/page-program.ts'
import { runNode } from '../support/run-node.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const conditions = `const conditions = ['@twinwire/source', 'node']
export default { resolve: { conditions }, ssr: { resolve: { conditions, externalConditions: conditions } } }
`
const shownPage = '<!doctype html><title>Sold</title><ul id="sold"></ul><script src="page.js"></script>'
const page = await readBlocks('uploads-page')
const { folder } = page

/** What a block of the page exports. */
async function load(file: string): Promise<Record<string, AnyEndpoint>> {
  return import(`${folder}/${file}`)
}

describe('the blocks of the page about uploads', () => {
  testBlocks(page, { 'cat.png': 'meow', 'vitest.config.mjs': conditions })

  it('main.ts stores a file of curl, and serves it', async () => {
    const markdown = readPage('uploads-and-streams')
    const commands = shownBlocks(markdown, 'sh')
    const shown = JSON.parse(shownBlocks(markdown, 'json')[0] ?? '')
    const program = startProgram(folder, 'main.ts', { PORT: '0' })
    const [url] = await program.find(/^http:\S+$/m)
    const curl = async (start: string, id = '') => {
      const command = commands.find((text) => text.startsWith(start)) ?? ''
      const address = command.replace('localhost:8000', url).replace(/(?<=stored\/)[\w-]+/, id)
      return (await run('sh', ['-c', address.replace('curl', 'curl -sS')], { cwd: folder })).stdout
    }
    const stored = JSON.parse(await curl('curl -X POST -T'))
    expect({ ...stored, id: '' }).toEqual({ ...shown, id: '' })
    await curl('curl -o', stored.id)
    expect(await readFile(`${folder}/back.png`, 'utf8')).toBe('meow')
    expect(JSON.parse(await curl('curl -F'))).toMatchObject({ id: 7, tags: ['a', 'b'], photos: [{ name: 'cat.png' }] })
    // The field behind the file.
    const late = `curl -sS -F photo=@cat.png -F title=Cats ${url}/albums/7/photos`
    const refused = (await run('sh', ['-c', late], { cwd: folder })).stdout
    const [, said = ''] = /`(Invalid key: Expected "title" [^`]+)`/.exec(markdown) ?? []
    expect(JSON.parse(refused)).toMatchObject({ error: { code: 'validation_error', details: [{ message: said }] } })
    await program.end()
  })

  it('albums.test.ts passes', async () => {
    const vitest = `${root}/node_modules/vitest/vitest.mjs`
    const env = { ...process.env, VITEST: undefined, FORCE_COLOR: undefined, NO_COLOR: '1' }
    const { code, output } = await runNode([vitest, 'run', 'albums.test.ts'], { cwd: folder, env })
    expect([code, output]).toEqual([0, expect.stringMatching(/Tests\s+1 passed/)])
  })

  it.skipIf(!hasChromium())('page.js lists what the topic of events.ts says, in a browser', async () => {
    const { ticketEvents } = await load('events.ts')
    const script = page.blocks.find(({ name }) => name === 'page.js')?.code ?? ''
    await writeBlocks(`${folder}/public`, { blocks: [{ name: 'page.js', code: script }] }, { 'index.html': shownPage })
    const sold = event({ data: v.object({ id: v.number() }) })
    const { app, address, close } = await createTestApp(
      {
        pkgIds: { SOLD: 100 },
        routes: {},
        events: { SOLD: sold },
        topics: { 'ticket:*': { authorize: () => true } },
        endpoints: [
          ...(ticketEvents === undefined ? [] : [ticketEvents]),
          staticFiles({ root: `${folder}/public`, prefix: '/', access: 'public' }),
        ],
      },
      { transport: 'uws' },
    )
    onTestFinished(() => close())
    const browser = await startChromium()
    onTestFinished(() => browser.close())
    const window = await browser.newPage()
    const problems: string[] = []
    window.on('pageerror', (error) => problems.push(String(error)))
    await window.goto(address.url)
    await expect.poll(() => app.hub.topicSize('ticket:7'), { timeout: 30_000 }).toBe(1)
    for (const id of [41, 42]) await app.hub.publish('ticket:7', sold, { id })
    await expect.poll(() => window.locator('#sold').textContent(), { timeout: 30_000 }).toBe('4142')
    expect(problems).toEqual([])
  })

  onTransports({ describe, afterEach }, ({ start }) => {
    it('albums.ts gets fields and files', async () => {
      const { addPhotos } = await load('albums.ts')
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: addPhotos === undefined ? [] : [addPhotos] })
      const form = new FormData()
      for (const [name, value] of [
        ['title', 'Cats'],
        ['tags', 'a'],
      ] as const)
        form.append(name, value)
      form.append('photo', new File(['meow'], 'cat.png'))
      const answer = await request('POST /albums/7/photos', { body: form })
      const sha256 = createHash('sha256').update('meow').digest('hex')
      expect(answer.json()).toEqual({ id: 7, title: 'Cats', tags: ['a'], photos: [{ name: 'cat.png', sha256 }] })
      expect((await request('POST /albums/7/photos', { body: '{}' })).status).toBe(415)
    })

    it('upload.ts stores a file', async () => {
      const { upload } = await load('upload.ts')
      const { request } = await start({ pkgIds: {}, routes: {}, endpoints: upload === undefined ? [] : [upload] })
      const options = { body: randomBytes(3_000_000), headers: { 'content-type': 'image/png' } }
      const answer = await request('POST /files/cats?title=One', options)
      expect([answer.status, answer.json()]).toMatchObject([201, { album: 'cats', title: 'One', type: 'image/png' }])
    })

    it('events.ts counts on from the last id, and sends a topic', async () => {
      const { counter, ticketEvents } = await load('events.ts')
      const { raw, app } = await start({
        pkgIds: {},
        routes: {},
        topics: { 'ticket:*': { authorize: () => true } },
        endpoints: [counter, ticketEvents].flatMap((endpoint) => endpoint ?? []),
      })
      const client = await openEvents(raw, '/counter', { headers: { 'last-event-id': '998' } })
      await client.ended
      expect(client.events()).toEqual([
        { id: '999', event: 'count', data: { n: 999 } },
        { event: 'end', data: null },
      ])
      for (const lastId of ['rubbish', '', '1e3', '99999']) {
        const other = await openEvents(raw, '/counter', { headers: { 'last-event-id': lastId } })
        await expect.poll(other.events).toMatchObject([{ id: '0', data: { n: 0 } }])
        other.leave()
      }
      await openEvents(raw, '/tickets/7/events')
      await expect.poll(() => app.hub.topicSize('ticket:7')).toBe(1)
    })
  })
})
