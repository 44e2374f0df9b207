// The client with the manifest that the reference application keeps, on its users, routes and topic.
import { readFile } from 'node:fs/promises'
import { CallError, type Client, createClient } from '@twinwire/client'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import type { createAuthorsApp } from '../../examples/authors/src/app.ts'
import { type Example, startExample } from '../support/example.ts'

type App = ReturnType<typeof createAuthorsApp>

const manifest = JSON.parse(await readFile(new URL('../../examples/authors/manifest.json', import.meta.url), 'utf8'))

describe('the client of the example', () => {
  let example: Example
  beforeAll(async () => {
    example = await startExample({ databaseUrl: 'pglite://memory' })
  })
  afterAll(() => example.stop('SIGKILL'))

  function clientOf(user: 'admin' | 'reader'): Client<App> {
    const client = createClient<App>({
      url: example.url,
      manifest,
      WebSocket,
      getToken: () => example.tokens?.[user] ?? null,
    })
    onTestFinished(() => client.close())
    return client
  }

  test('is the user of its token', async () => {
    const client = clientOf('reader')
    await client.call('GET_AUTHORS', { name: 'Franz Kafka' })
    expect(client.state).toMatchObject({
      status: 'open',
      identity: decodeJwt(example.tokens?.reader ?? '').sub,
    })
  })

  test.each(['ws', 'http'] as const)('calls every route over %s', async (wire) => {
    const client = clientOf('admin')
    const created = await client.call('CREATE_AUTHOR', { name: `Author over ${wire}` }, { wire })
    const { items, meta } = await client.call('GET_PAGINATED_AUTHORS', { per_page: 3 }, { wire })
    expect([items.length, meta.per_page, meta.has_more]).toEqual([3, 3, true])
    expect(await client.call('GET_AUTHORS', { name: created.name }, { wire })).toEqual([created])
    const renamed = { ...created, name: `Renamed over ${wire}` }
    expect(await client.call('UPDATE_AUTHOR', renamed, { wire })).toEqual(renamed)
    await client.call('DELETE_AUTHOR', { id: created.id }, { wire })
    const error = await client.call('UPDATE_AUTHOR', renamed, { wire }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(CallError)
    expect(error).toMatchObject({ code: 'not_found', outcomeUnknown: false })
  })

  test('a reader is refused, on both wires alike', async () => {
    const client = clientOf('reader')
    for (const wire of ['ws', 'http'] as const)
      await expect(client.call('CREATE_AUTHOR', { name: 'x' }, { wire })).rejects.toMatchObject({
        code: 'permission_denied',
      })
  })

  test('follows the topic, sees its members, and gets the event of its own call', async () => {
    const [client, other] = [clientOf('admin'), clientOf('reader')]
    const seen: unknown[] = []
    const subscription = other.subscribe('authors', { onEvent: ({ event, data }) => seen.push([event, data]) })
    await subscription.ready
    await client.subscribe('authors').ready
    const { answer, event } = await client.callWithEvent('CREATE_AUTHOR', 'AUTHOR_CHANGED', { name: 'Elsa Morante' })
    expect(event).toMatchObject({ id: answer.id })
    await expect.poll(() => seen).toContainEqual(['AUTHOR_CHANGED', event])
    const members = await other.presence('authors')
    expect(members.map(({ identity }) => identity).sort()).toEqual(
      [example.tokens?.admin, example.tokens?.reader].map((token) => decodeJwt(token ?? '').sub).sort(),
    )
  })
})
