// The blocks of docs_site/uploads-and-streams.md: they compile, and the routes in them work over both transports.
import { createHash, randomBytes } from 'node:crypto'
import type { AnyEndpoint } from '@twinwire/core'
import { onTransports } from '@twinwire/core/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { openEvents } from '../../packages/core/src/testing/event-reader.fixtures.ts'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

const page = await readBlocks('uploads-page')
const { folder } = page

/** What a block of the page exports. */
async function load(file: string): Promise<Record<string, AnyEndpoint>> {
  return import(`${folder}/${file}`)
}

describe('the blocks of the page about uploads', () => {
  testBlocks(page)

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
      const sent = new Response(form)
      const headers = { 'content-type': sent.headers.get('content-type') ?? '' }
      const answer = await request('POST /albums/7/photos', { body: new Uint8Array(await sent.arrayBuffer()), headers })
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
