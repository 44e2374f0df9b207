// An app whose only state is what its clients have said, on all of its nodes.
import * as v from 'valibot'
import type { EventDefinition } from '../../index.ts'
import { event, route } from '../../index.ts'
import type { SimulatedProcess, Simulation } from '../../testing.ts'

interface Line {
  readonly n: number
  readonly by: string
}

const said: EventDefinition<Line, Line> = event({ data: v.object({ n: v.number(), by: v.string() }) })

const say = route({
  http: 'POST /lines',
  input: v.object({ n: v.number(), by: v.string() }),
  handler: (line, call) => call.publish('chat', said, line),
})

export const chat = {
  pkgIds: { SAY: 1, SAID: 100 },
  routes: { SAY: say },
  events: { SAID: said },
  topics: { chat: { authorize: () => true, subscribe: true, history: { size: 5, ttl: '10m' } } },
} as const

export const chatApp = (_process: SimulatedProcess): typeof chat => chat

type Chat = Simulation<(typeof chat)['routes'], (typeof chat)['events']>

/** What a client was told of a topic: each event is the next one, or a gap was announced before it. `lines`: by position, of all clients. */
export function follow(
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
        throw new Error(`${name} got ${position.offset} after ${last?.offset}, and was not told of a gap`)
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
export async function talk(sim: Chat): Promise<void> {
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
