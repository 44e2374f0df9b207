// The session that docs_site/wire-protocol.md shows, played with an app: each frame of the server has the form of the page.
import { readFileSync } from 'node:fs'
import { event, memoryBroker, route } from '@twinwire/core'
import { onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { authOf, nextJson, startIssuer } from '../../packages/plugin-auth/src/auth.fixtures.ts'

const page = readFileSync(new URL('../../docs_site/wire-protocol.md', import.meta.url), 'utf8')
const [, session = ''] = /```text\n([\s\S]*?)```/.exec(page) ?? []
/** `> …` of the client and `< …` of the server, in order. */
const steps = session
  .split(/\n|\s{2,}/)
  .filter((step) => /^[<>] /.test(step))
  .map((step) => ({ isSent: step.startsWith('>'), text: step.slice(2) }))

const Author = v.object({ id: v.number(), name: v.string() })
const authorCreated = event({ data: Author })

/** The keys of a frame, with the types of their values. */
function formOf(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value === null ? null : typeof value
  if (Array.isArray(value)) return value.map(formOf)
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, formOf(each)]))
}

describe('the session on the page about the protocol', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('is what a server sends', async () => {
      const { issuer, clock } = await startIssuer()
      const app = await start({
        pkgIds: { CREATE_AUTHOR: 3, AUTHOR_CREATED: 100 },
        routes: {
          CREATE_AUTHOR: route({
            input: v.object({ name: v.string() }),
            output: Author,
            handler: ({ name }) => ({ id: 11, name }),
          }),
        },
        events: { AUTHOR_CREATED: authorCreated },
        topics: { authors: { subscribe: true, history: { size: 10, ttl: '1m' }, authorize: () => true } },
        broker: memoryBroker(),
        plugins: [authOf(issuer)],
        clock,
      })
      const socket = await app.connect()
      const closing: Promise<void>[] = []
      // The drain waits by the clock of the app.
      const closeApp = async (): Promise<void> => {
        let isClosed = false
        const closed = app.app.close().finally(() => {
          isClosed = true
        })
        while (!isClosed) await clock.advance(50)
        await closed
      }
      /** What the server sends unasked has a cause. */
      const cause = async (text: string): Promise<void> => {
        if (text.includes('"pkg_id":100'))
          await app.app.hub.publish('authors', authorCreated, { id: 12, name: 'Elsa Morante' })
        if (text.includes('"auth_expiring"')) await clock.advance(250_000)
        if (text.includes('"closing"')) closing.push(closeApp())
      }
      let played = 0
      for (const { isSent, text } of steps) {
        if (isSent && text.startsWith('{')) {
          socket.send(text.replace('eyJ…', issuer.token('ada')))
          played += 1
        } else if (!isSent && text.startsWith('{')) {
          await cause(text)
          const [expected, received] = [JSON.parse(text), await nextJson(socket)]
          expect(formOf(received)).toEqual(formOf(expected))
          expect([received.type, received.pkg_id, received.req_id]).toEqual([
            expected.type,
            expected.pkg_id,
            expected.req_id,
          ])
          played += 1
        } else if (text.startsWith('close')) {
          const { code, reason } = await socket.closed
          expect(`close ${code} "${reason}"`).toBe(text)
          played += 1
        }
      }
      expect(played).toBe(14)
      await Promise.all(closing)
    })
  })
})
