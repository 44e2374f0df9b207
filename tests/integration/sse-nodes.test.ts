// Server-sent events of several nodes of one app: over brokers in one process, and on a Redis.
import { redisBroker } from '@twinwire/broker-redis'
import { defineTopics, event, reply, route } from '@twinwire/core'
import { onTransports } from '@twinwire/core/testing'
import type { Broker } from '@twinwire/core/transport'
import * as v from 'valibot'
import { afterEach, describe, expect, it, onTestFinished } from 'vitest'
import { createBrokerNetwork } from '../../packages/core/src/hub/network/network.fixtures.ts'
import { openEvents, type ReadEvent } from '../../packages/core/src/testing/event-reader.fixtures.ts'
import { authOf, bearer, startIssuer } from '../../packages/plugin-auth/src/auth.fixtures.ts'
import { hasRedisBinary, startRedisServer } from '../support/redis-server.ts'

const sold = event({ data: v.object({ n: v.number() }) })
const app = {
  pkgIds: { SOLD: 1 },
  routes: {},
  events: { SOLD: sold },
  topics: defineTopics({ 'ticket:*': { history: { size: 5, ttl: '10m' }, authorize: () => true } }),
  endpoints: [
    route({
      http: 'GET /tickets/:id/events',
      input: v.object({ id: v.string() }),
      handler: ({ id }) => reply.events({ topic: `ticket:${id}` }),
    }),
  ],
} as const
const path = '/tickets/7/events'
const topic = 'ticket:7'
const since = (id: string | undefined) => ({ headers: { 'last-event-id': id ?? '' } })

const offsetOf = (one: ReadEvent | undefined): number => Number(one?.id?.split(':')[1])

describe('server-sent events of two nodes', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    /** What a client gets on both nodes, one after the other, whatever connects them. */
    async function resume(createBroker: () => Broker): Promise<void> {
      const [one, other] = [
        await start({ ...app, broker: createBroker() }),
        await start({ ...app, broker: createBroker() }),
      ]
      const numbers = (client: Awaited<ReturnType<typeof openEvents>>) =>
        client.events().map(({ event: name, data }) => (name === 'SOLD' ? (data as { n: number }).n : name))
      const first = await openEvents(one.raw, path)
      await expect.poll(first.text).toMatch(/^id: /m)
      for (const n of [1, 2]) await other.app.hub.publish(topic, sold, { n })
      await expect.poll(() => numbers(first)).toEqual([1, 2])
      first.leave()
      await expect.poll(() => one.app.hub.size).toBe(0)
      for (const n of [3, 4]) await one.app.hub.publish(topic, sold, { n })
      const second = await openEvents(other.raw, path, since(first.events().at(-1)?.id))
      await expect.poll(() => numbers(second)).toEqual([3, 4])
      await one.app.hub.publish(topic, sold, { n: 5 })
      await expect.poll(() => numbers(second)).toEqual([3, 4, 5])
      for (let n = 6; n <= 12; n++) await one.app.hub.publish(topic, sold, { n })
      const late = await openEvents(one.raw, path, since(second.events()[0]?.id))
      await expect.poll(() => numbers(late)[0]).toBe('gap')
      await other.app.hub.publish(topic, sold, { n: 13 })
      await expect.poll(() => late.events().at(-1)?.id).toMatch(/:13$/)
      // What follows the gap has no hole, wherever the node was when the client came.
      const [gap, ...rest] = late.events()
      expect(rest.map(offsetOf)).toEqual(rest.map((_event, i) => offsetOf(gap) + 1 + i))
    }

    it('go on at the other one', async () => {
      const network = createBrokerNetwork()
      await resume(() => network.createBroker())
    })

    it.skipIf(!hasRedisBinary())(
      'go on at the other one, over Redis, and an emptied one is a gap',
      async () => {
        const server = await startRedisServer()
        onTestFinished(() => server.stop())
        await resume(() => redisBroker({ url: server.url }))
        const node = await start({ ...app, broker: redisBroker({ url: server.url }) })
        const client = await openEvents(node.raw, path)
        await expect.poll(client.text).toMatch(/^id: /m)
        const before = /^id: (.*)$/m.exec(client.text())?.[1]
        const admin = server.client()
        onTestFinished(() => admin.disconnect())
        await admin.call('FLUSHALL')
        await node.app.hub.publish(topic, sold, { n: 1 })
        await expect
          .poll(() => client.events().map(({ event: name }) => name), { timeout: 20_000 })
          .toEqual(['gap', 'SOLD'])
        const back = await openEvents(node.raw, path, since(before))
        await expect.poll(() => back.events().map(({ event: name }) => name)).toEqual(['gap'])
      },
      60_000,
    )

    it('end on the other one with a revocation, and with hub.disconnect', async () => {
      const { issuer, clock } = await startIssuer()
      const network = createBrokerNetwork({ clock })
      const startNode = async () => {
        const keycloak = authOf(issuer)
        return { keycloak, ...(await start({ ...app, clock, plugins: [keycloak], broker: network.createBroker() })) }
      }
      const [one, other] = [await startNode(), await startNode()]
      const ada = bearer(issuer.token({ username: 'ada', id: 'u-ada' }))
      const bob = bearer(issuer.token({ username: 'bob', id: 'u-bob' }))
      const clients = [
        await openEvents(other.raw, path, ada),
        await openEvents(other.raw, path, bob),
        await openEvents(one.raw, path, bob),
      ]
      await network.settle()
      await expect.poll(() => [one.app.hub.size, other.app.hub.size]).toEqual([1, 2])
      one.keycloak.revoke('u-ada')
      await network.settle()
      await clients[0]?.ended
      expect(clients[0]?.events()).toMatchObject([{ event: 'close', data: { code: 4004 } }])
      expect((await other.request(`GET ${path}`, ada)).status).toBe(401)
      await one.app.hub.disconnect({ identity: 'u-bob' })
      await network.settle()
      for (const client of clients.slice(1)) {
        await client.ended
        expect(client.events()).toMatchObject([{ event: 'close', data: { code: 1000 } }])
      }
      expect([one.app.hub.size, other.app.hub.size]).toEqual([0, 0])
    })
  })
})
