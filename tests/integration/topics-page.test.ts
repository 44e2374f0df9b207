// The blocks of docs_site/topics.md that its commands do not run: rules of topics, and what the server does about who is connected.
import { once } from 'node:events'
import process from 'node:process'
import { type App, event, route, type TopicRules } from '@twinwire/core'
import { database } from '@twinwire/core/database'
import { createTestApp, fakeIdentity, onTransports } from '@twinwire/core/testing'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks } from '../support/page-blocks.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const page = await readBlocks('topics', 'topics-page')
const { folder } = page

interface Connected {
  readonly topics: TopicRules
  readonly app: App
  removeFromTeam(
    app: App,
    teamId: string,
    userId: string,
  ): Promise<{ members: readonly object[]; cursor: string | null; nodes: readonly object[] }>
}

const said = event({ data: v.object({ text: v.string() }) })
const bearer = (id: string) => ({ headers: { authorization: `Bearer ${id}` } })
const denied = { code: 'permission_denied' }

describe('the blocks of the page about topics', () => {
  testBlocks(page)

  it('rules.ts admits those whom the page names', async () => {
    const { topics }: { topics: TopicRules } = await import(`${folder}/rules.ts`)
    const enter = route({
      input: v.object({ topic: v.string() }),
      handler: async ({ topic }, call) => {
        await call.connection?.join(topic)
        return topic
      },
    })
    const { client, app, close } = await createTestApp({
      pkgIds: { ENTER: 1, SAID: 100 },
      routes: { ENTER: enter },
      events: { SAID: said },
      topics,
      plugins: [
        fakeIdentity(),
        database({
          url: 'pglite://memory',
          onStart: async (db) => {
            await db.execute(sql`create table tickets (id int primary key, "ownerId" text not null)`)
            await db.execute(sql`insert into tickets values (7, 'ann'), (8, 'bob')`)
          },
        }),
      ],
    })
    onTestFinished(() => close())
    const [ann, bob] = [await client(bearer('ann')), await client(bearer('bob'))]

    await ann.subscribe('news')
    await bob.subscribe('news')
    await app.hub.publish('news', said, { text: 'to all' })
    expect([await ann.nextEvent('SAID'), await bob.nextEvent('SAID')]).toEqual([{ text: 'to all' }, { text: 'to all' }])

    // Only the server lets a connection join, and only the author.
    await expect(ann.subscribe('author:ann')).rejects.toMatchObject(denied)
    await expect(ann.call('ENTER', { topic: 'author:bob' })).rejects.toMatchObject(denied)
    expect(await ann.call('ENTER', { topic: 'author:ann' })).toBe('author:ann')
    await app.hub.publish('author:ann', said, { text: 'to ann' })
    expect(await ann.nextEvent('SAID')).toEqual({ text: 'to ann' })

    for (const topic of ['ticket:8', 'ticket:9', 'ticket:7:8'])
      await expect(ann.subscribe(topic)).rejects.toMatchObject(denied)
    const { position } = await ann.subscribe('ticket:7')
    // More than the 100 of the broker.
    for (let n = 1; n <= 101; n++) await app.hub.publish('ticket:7', said, { text: `${n}` })
    ann.close()
    await ann.closed
    const back = await client(bearer('ann'))
    expect(await back.subscribe('ticket:7', { since: position })).toMatchObject({ recovered: true })
    expect(await back.nextEvent('SAID')).toEqual({ text: '1' })

    await expect(bob.call('ENTER', { topic: 'nowhere' })).rejects.toMatchObject(denied)
    expect(() => void app.hub.publish('nowhere', said, { text: 'x' })).toThrow("'nowhere'")
  })

  onTransports({ describe, afterEach }, ({ start }) => {
    it('connected.ts closes the connections of one who is removed', async () => {
      const { topics, removeFromTeam }: Connected = await import(`${folder}/connected.ts`)
      const { client, app } = await start({ pkgIds: {}, routes: {}, topics, plugins: [fakeIdentity()] })
      const open = async (id: string) => {
        const one = await client(bearer(id))
        await one.subscribe('team:7')
        return one
      }
      const [first, second, bob] = [await open('ann'), await open('ann'), await open('bob')]
      const printed = vi.spyOn(console, 'log').mockImplementation(() => {})
      onTestFinished(() => printed.mockRestore())
      await expect.poll(async () => (await app.hub.presence('team:7')).members.length).toBe(3)
      const { members, cursor, nodes } = await removeFromTeam(app, '7', 'ann')
      const of = (identity: string) => ({ connection: expect.any(String), identity, info: { name: identity } })
      expect(members).toHaveLength(3)
      expect(members).toEqual(expect.arrayContaining([of('ann'), of('bob')]))
      expect(cursor).toBeNull()
      expect(printed.mock.calls.sort()).toEqual([
        ['ann', { name: 'ann' }],
        ['ann', { name: 'ann' }],
        ['bob', { name: 'bob' }],
      ])
      expect(nodes).toEqual([
        {
          id: expect.any(String),
          startedAt: expect.anything(),
          hostname: expect.any(String),
          pid: process.pid,
        },
      ])
      for (const each of [first, second])
        expect(await each.closed).toMatchObject({ code: 4100, reason: 'Account closed' })
      await expect
        .poll(async () => (await app.hub.presence('team:7')).members.map(({ identity }) => identity))
        .toEqual(['bob'])
      expect(await bob.subscribe('team:7')).toBeDefined()
    })
  })

  it('connected.ts has an app that admits no anonymous member', async () => {
    const { app }: Connected = await import(`${folder}/connected.ts`)
    const { url } = await app.listen({ port: 0, host: '127.0.0.1' })
    onTestFinished(() => app.close())
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    socket.once('open', () => socket.send(JSON.stringify({ type: 'subscribe', id: 1, topic: 'team:7' })))
    const [bytes] = await once(socket, 'message')
    expect(JSON.parse(String(bytes))).toMatchObject({ type: 'error', id: 1, code: 'permission_denied' })
    socket.close()
  })
})
