import * as v from 'valibot'
import { afterEach, describe, expect, test } from 'vitest'
import { event } from '../call/event.ts'
import { onTransports } from '../testing/on-transports.ts'
import { plugin, until } from '../testing/suite.fixtures.ts'
import { WebSocketConnection } from '../websocket/connection.ts'
import { brokerOf } from './broker.fixtures.ts'
import type { BrokerNode, Position } from './broker.ts'
import type { Connection } from './connection.ts'
import { ConnectionHub } from './hub.ts'

const sold = event({ data: v.object({ id: v.number() }) })
const base = { pkgIds: { SOLD: 100 }, routes: {}, events: { SOLD: sold }, topics: { news: { authorize: () => true } } }

onTransports({ describe, afterEach }, ({ start }) => {
  test('publications, deliveries, losses, recoveries and subscriptions are counted', async () => {
    const nodes: BrokerNode[] = []
    let failure: Error | null = null
    const broker = brokerOf({
      start: (node) => void nodes.push(node),
      subscribe: () => ({ epoch: 'e', offset: 7 }),
      publish: async () => {
        if (failure !== null) throw failure
        return null
      },
    })
    const connections: Connection[] = []
    const plugins = [plugin((host) => host.onConnect((connection) => void connections.push(connection)))]
    const { app, connect } = await start({ ...base, broker, plugins })
    await connect()
    await until(() => app.hub.size === 1)
    const { hub } = app
    const [connection] = connections
    if (!(hub instanceof ConnectionHub && connection instanceof WebSocketConnection)) throw new Error('not these')
    const count = (name: string, result?: string): number | undefined => {
      const family = app.instruments.families().find((each) => each.name === name)
      const found = family?.cells.find(({ labels }) => labels.result === result)?.cell
      return found !== undefined && 'value' in found ? found.value : undefined
    }
    const news = { kind: 'topic', topic: 'news' } as const
    const rule = { history: undefined, resume: true }
    const subscribe = (since: Position | null) => hub.subscribe(connection, news, rule, since, () => {})

    await subscribe(null)
    await subscribe({ epoch: 'e', offset: 7 })
    await subscribe({ epoch: 'another', offset: 7 })
    expect(['recovered', 'not_recovered', 'not_asked'].map((result) => count('hub_subscribes_total', result))).toEqual([
      1, 1, 1,
    ])
    expect(count('hub_subscriptions')).toBe(1)

    void hub.publish('news', sold, { id: 1 })
    failure = new Error('gone')
    await expect(hub.publish('news', sold, { id: 2 })).rejects.toBe(failure)
    await expect.poll(() => count('hub_publications_total', 'refused')).toBe(1)
    expect(count('hub_publications_total', 'taken')).toBe(1)

    expect(count('hub_deliveries_total')).toBe(0)
    nodes[0]?.deliver({ audience: news, pkgId: 100, data: { id: 1 }, cause: null }, { epoch: 'e', offset: 8 })
    expect(count('hub_deliveries_total')).toBe(1)
    nodes[0]?.gap(news, { epoch: 'f', offset: 0 })
    expect(count('hub_gaps_total')).toBe(1)
  })
})
