import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { event, route } from '../../index.ts'
import { simulate } from '../../testing.ts'

const Line = v.object({ n: v.number(), by: v.string() })
const said = event({ data: Line })

function createChat() {
  let n = 0
  const say = route({
    http: 'POST /lines',
    input: v.object({ by: v.string() }),
    output: v.object({ n: v.number() }),
    handler: ({ by }, call) => {
      n += 1
      call.publish('chat', said, { n, by })
      return { n }
    },
  })
  return () => ({
    pkgIds: { SAY: 1, SAID: 100 },
    routes: { SAY: say },
    events: { SAID: said },
    topics: { chat: { authorize: () => true, history: { size: 1000, ttl: '10m' } } },
  })
}

describe('simulate', () => {
  it('calls over both wires, and delivers events', async () => {
    const { history } = await simulate({ nodes: 2, app: createChat() }, async (sim) => {
      const [ann, bob] = [sim.client({ name: 'ann' }), sim.client({ name: 'bob' })]
      const seen: number[] = []
      await bob.subscribe('chat', { onEvent: ({ data }) => void seen.push(data.n) }).ready
      expect(await ann.call('SAY', { by: 'ann' })).toEqual({ n: 1 })
      expect(await ann.http('SAY', { by: 'ann' })).toEqual({ n: 2 })
      await sim.until(() => seen.length === 2)
      expect(seen.sort()).toEqual([1, 2])
    })
    console.log(history.join('\n'))
  })

  it('repeats', async () => {
    const play = (seed: number) =>
      simulate({ nodes: 3, app: createChat(), seed }, async (sim) => {
        const clients = [sim.client(), sim.client(), sim.client()]
        for (const client of clients) client.subscribe('chat')
        sim.disturb({ everyMs: 300 })
        for (let i = 0; i < 20; i++) {
          const client = sim.random.pick(clients)
          await client.call('SAY', { by: client.name }).catch((error: unknown) => sim.note(String(error)))
          await sim.sleep(sim.random.integer(1, 500))
        }
        await sim.calm()
      })
    const t = performance.now()
    const { history } = await play(3)
    console.log(history.length, performance.now() - t)
    console.log(history.slice(0, 400).join('\n'))
    expect((await play(3)).history.join('\n')).toBe(history.join('\n'))
    expect((await play(4)).history).not.toEqual(history)
  })
})
