// Subscriptions over disturbed networks: what a client receives has no hole, or a gap is announced. Faults that are planted are found.
import * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import type { Broker } from '../../hub/broker.ts'
import { event, route } from '../../index.ts'
import { runSchedules, type Simulation, SimulationFailure, simulate } from '../../testing.ts'

vi.setConfig({ testTimeout: 300_000 })

const runs = Number(process.env.SIMULATION_RUNS ?? 40)

/** An app whose nodes share nothing but the broker. */
const said = event({ data: v.object({ n: v.number(), by: v.string() }) })

const say = route({
  http: 'POST /lines',
  input: v.object({ n: v.number(), by: v.string() }),
  handler: (line, call) => call.publish('chat', said, line),
})

const chat = {
  pkgIds: { SAY: 1, SAID: 100 },
  routes: { SAY: say },
  events: { SAID: said },
  topics: { chat: { authorize: () => true, subscribe: true, history: { size: 5, ttl: '10m' } } },
} as const

const chatApp = (): typeof chat => chat

type Chat = Simulation<(typeof chat)['routes'], (typeof chat)['events']>

/** What a client receives of a topic: each event is the next one, or a gap was announced before it. `lines`: by position, of all clients. */
function follow(
  sim: Chat,
  name: string,
  lines: Map<string, number>,
): { readonly seen: number[]; readonly gaps: () => number } {
  const seen: number[] = []
  let last: { readonly epoch: string; readonly offset: number } | null = null
  let gaps = 0
  let isTold = true
  sim.client({ name }).subscribe('chat', {
    onEvent: ({ data, position }) => {
      if (position === null) throw new Error('an event without a position')
      const isNext = last?.epoch === position.epoch && last.offset + 1 === position.offset
      if (!isTold && !isNext)
        throw new Error(`${name} got ${position.offset} after ${last?.offset}, and no gap was announced`)
      const place = `${position.epoch}:${position.offset}`
      const known = lines.get(place) ?? data.n
      if (known !== data.n) throw new Error(`${place} is another line for ${name}: ${data.n}, and not ${known}`)
      lines.set(place, known)
      isTold = false
      last = position
      seen.push(data.n)
    },
    onGap: () => {
      isTold = true
      gaps += 1
    },
  })
  return { seen, gaps: () => gaps }
}

/** Clients talk and follow while everything is disturbed; in the end all have the last line. */
async function talk(sim: Chat): Promise<void> {
  const lines = new Map<string, number>()
  const followers = ['ann', 'bob', 'cid'].map((name) => follow(sim, name, lines))
  const speakers = [sim.client({ name: 'dan' }), sim.client({ name: 'eve' })]
  await sim.sleep(200)
  sim.disturb({ everyMs: 400 })
  for (let n = 1; n <= 25; n++) {
    const speaker = sim.random.pick(speakers)
    const by = speaker.name
    const said = sim.random.chance(0.5) ? speaker.call('SAY', { n, by }) : speaker.http('SAY', { n, by })
    said.catch((error: unknown) => sim.note(`${by}: ${String(error)}`))
    await sim.sleep(sim.random.integer(0, 400))
  }
  await sim.calm()
  await sim.client({ name: 'fay' }).call('SAY', { n: 0, by: 'fay' })
  await sim.until(() => followers.every(({ seen }) => seen.at(-1) === 0))
  sim.note(followers.map(({ seen, gaps }) => `${seen.length} lines, ${gaps()} gaps`).join('; '))
}

/** Which publications a faulty broker loses: those of every node. */
function losing(broker: Broker): Broker {
  let delivered = 0
  return delegate(broker, {
    start: (node) =>
      broker.start({
        ...node,
        deliver: (publication, position) => {
          delivered += 1
          if (delivered % 10 !== 0) node.deliver(publication, position)
        },
      }),
  })
}

/** Leaves the first out of what was missed, and numbers the rest so that none seems to be missing. */
function skipping(broker: Broker): Broker {
  return delegate(broker, {
    history: async (...args) => {
      const page = await broker.history(...args)
      if (page === null) return page
      const entries = page.entries.map(({ position, publication }, i) => ({
        position,
        publication: page.entries[i + 1]?.publication ?? publication,
      }))
      return { ...page, entries }
    },
  })
}

/** Its node never learns of a gap. */
function silent(broker: Broker): Broker {
  return delegate(broker, { start: (node) => broker.start({ ...node, gap() {} }) })
}

function delegate(broker: Broker, changed: Partial<Broker>): Broker {
  return {
    name: broker.name,
    oneProcess: false,
    start: (node) => broker.start(node),
    close: () => broker.close(),
    publish: (...args) => broker.publish(...args),
    subscribe: (...args) => broker.subscribe(...args),
    unsubscribe: (stream) => broker.unsubscribe(stream),
    history: (...args) => broker.history(...args),
    join: (...args) => broker.join(...args),
    leave: (...args) => broker.leave(...args),
    presence: (...args) => broker.presence(...args),
    control: (...args) => broker.control(...args),
    nodes: () => broker.nodes(),
    ...changed,
  }
}

describe('subscriptions on a disturbed network', () => {
  it('play the same history again for the same seed, to the last byte, and another one for another seed', async () => {
    const play = (seed: number) => simulate({ seed, nodes: 3, app: chatApp }, talk)
    const { history } = await play(11)
    expect(history.length).toBeGreaterThan(200)
    // Something else in between, as in a run of many tests.
    const other = await play(12)
    expect((await play(11)).history.join('\n')).toBe(history.join('\n'))
    expect(other.history.join('\n')).not.toBe(history.join('\n'))
  })

  it(`have no hole that is not announced, in ${runs} schedules`, async () => {
    await runSchedules({ runs, nodes: 3, app: chatApp }, talk)
  })

  it('have gaps, and are recovered: a network that disturbs nothing would prove nothing', async () => {
    let [gaps, recovered] = [0, 0]
    for (let seed = 1; seed <= 10; seed++) {
      const { history } = await simulate({ seed, nodes: 3, app: chatApp }, talk)
      gaps += history.filter((line) => / [1-9]\d* gaps/.test(line)).length
      recovered += history.filter((line) => line.includes('"recovered":true')).length
    }
    expect(gaps).toBeGreaterThan(5)
    expect(recovered).toBeGreaterThan(5)
  })

  it.each([
    ['a broker that loses a publication without a word', 'and no gap was announced', losing],
    ['a broker that does not say that it has lost some', 'and no gap was announced', silent],
    ['a broker that leaves one out of what was missed, and hides it', 'is another line for', skipping],
  ])('find %s, and the seed that is printed plays it again', async (_, message, faulty) => {
    const options = { nodes: 3, app: ({ broker }: { broker: Broker }) => ({ ...chat, broker: faulty(broker) }) }
    const failure: unknown = await runSchedules({ ...options, runs: 200 }, talk).catch((error: unknown) => error)
    if (!(failure instanceof SimulationFailure)) throw new Error('The fault was not found')
    expect(failure.message).toContain(message)
    expect(failure.message).toContain('Played again, everything was the same')
    const [, printed] = /simulate\(\{ …, seed: (\d+) \}/.exec(failure.message) ?? []
    const again: unknown = await simulate({ ...options, seed: Number(printed) }, talk).catch((error: unknown) => error)
    if (!(again instanceof SimulationFailure)) throw new Error('The seed does not play it again')
    expect(again.history.join('\n')).toBe(failure.history.join('\n'))
    expect(String(again.cause)).toBe(String(failure.cause))
  })
})
