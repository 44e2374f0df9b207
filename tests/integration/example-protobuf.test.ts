// The reference application over protobuf, with the client.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '@twinwire/client'
import { protobuf } from '@twinwire/client/protobuf'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import manifest from '../../examples/authors/manifest.json' with { type: 'json' }
import type { createAuthorsApp } from '../../examples/authors/src/app.ts'
import { startExample } from '../support/example.ts'

/** An embedded database takes its time on a busy machine. */
const startTimeoutMs = 180_000

test(
  'the example speaks protobuf and JSON on one port, and an event reaches clients of both',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'twinwire-example-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const example = await startExample({ databaseUrl: `pglite://${join(folder, 'data')}` })
    onTestFinished(async () => void (await example.stop()))
    const options = { url: example.url, manifest, WebSocket, getToken: () => example.tokens?.admin ?? null }
    const clients = [{ ...options, codec: protobuf() }, options].map((each) =>
      createClient<ReturnType<typeof createAuthorsApp>>(each),
    )
    onTestFinished(() => clients.forEach((client) => void client.close()))
    const received = await Promise.all(
      clients.map(async (client) => {
        const events: unknown[] = []
        await client.subscribe('authors', { onEvent: (event) => events.push(event) }).ready
        return events
      }),
    )
    const [binary, text] = clients
    if (binary === undefined || text === undefined) throw new Error('never')

    const page = await binary.call('GET_PAGINATED_AUTHORS', { cursor: '', per_page: 3 })
    expect(page).toEqual(await text.call('GET_PAGINATED_AUTHORS', { cursor: '', per_page: 3 }))
    expect(page).toMatchObject({ items: [{ id: 1 }, { id: 2 }, { id: 3 }], meta: { has_more: true } })
    expect(await binary.call('CREATE_AUTHOR', { name: 'Stanisława Przybyszewska' })).toMatchObject({ id: 11 })
    await expect(binary.call('CREATE_AUTHOR', { name: '' })).rejects.toMatchObject({ code: 'validation_error' })
    await binary.call('DELETE_AUTHOR', { id: 11 })
    for (const events of received)
      await expect
        .poll(() => events)
        .toMatchObject([
          { event: 'AUTHOR_CHANGED', data: { change: 'created', id: 11 }, position: { offset: 1 } },
          { event: 'AUTHOR_CHANGED', data: { change: 'deleted', id: 11, name: null }, position: { offset: 2 } },
        ])
    expect(received[0]).toEqual(received[1])
  },
  startTimeoutMs,
)
