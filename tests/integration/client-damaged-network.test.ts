// 10,000 calls through a proxy that damages connections at random, compared with what the server has executed.
import { setTimeout } from 'node:timers/promises'
import { CallError, type Client, createClient } from '@twinwire/client'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { Random } from '../differential/random.ts'
import { type NetworkAppType, startNetworkApp } from '../support/network-app.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'

// The faults of another run: CLIENT_SEED.
const seed = Number(process.env.CLIENT_SEED ?? Date.now() % 1_000_000)
const callCount = 10_000
const clientCount = 8
const inFlight = 12
/** Answers between two faults, so that a busy machine has as many of them for each call. */
const answersPerFault = 30
const random = new Random(seed)

interface Outcome {
  readonly n: number
  readonly answer: unknown
  readonly error: unknown
}

/** A client with its subscription. */
interface Subscriber {
  readonly client: Client<NetworkAppType>
  /** In the order in which it was told. */
  readonly seen: (number | 'gap')[]
}

const faults: Readonly<Record<string, (proxy: TcpProxy) => Promise<void> | void>> = {
  cut: (proxy) => proxy.cut(),
  cutOne: (proxy) => proxy.cutOne(Math.floor(random.next() * proxy.open)),
  refuse: async (proxy) => {
    proxy.isRefusing = true
    proxy.cut()
    await setTimeout(random.next() * 60)
    proxy.isRefusing = false
  },
  delay: async (proxy) => {
    proxy.delayMs = 1 + random.next() * 10
    await setTimeout(random.next() * 60)
    proxy.delayMs = 0
  },
  dropOne: (proxy) =>
    proxy.dropOne(Math.floor(random.next() * proxy.open), random.pick([['toServer'], ['toClient'], []] as const)[0]),
}
/** Most of them are quick to be noticed. */
const weighted = ['cut', 'cutOne', 'cutOne', 'cutOne', 'refuse', 'delay', 'dropOne']

test(`what clients receive for ${callCount} calls is what was executed (seed ${seed})`, {
  timeout: 600_000,
}, async () => {
  const server = await startNetworkApp()
  onTestFinished(() => server.close())
  const proxy = await startTcpProxy(server.port)
  onTestFinished(() => proxy.close())
  const subscribers = Array.from({ length: clientCount }, (): Subscriber => {
    const client = createClient<NetworkAppType>({
      url: `http://127.0.0.1:${proxy.port}`,
      manifest: server.app.manifest(),
      WebSocket,
      reconnect: { minMs: 5, maxMs: 50 },
      pingIntervalMs: 100,
      pingTimeoutMs: 1000,
      connectTimeoutMs: 5000,
      timeoutMs: 10_000,
    })
    onTestFinished(() => client.close())
    const seen: (number | 'gap')[] = []
    client.subscribe('chat:1', { onEvent: ({ data }) => seen.push(data.n), onGap: () => seen.push('gap') })
    return { client, seen }
  })

  let published = 0
  let called = 0
  let answered = 0
  const outcomes: Outcome[] = []
  const work = async ({ client }: Subscriber): Promise<void> => {
    while (called < callCount) {
      const n = called++
      const wire = random.pick(['ws', 'ws', 'http'] as const)
      // Some deadlines pass while there is no connection.
      const timeoutMs = random.pick([20, 10_000, 10_000, 10_000])
      const outcome = await client.call('DO', { n }, { wire, timeoutMs }).then(
        (answer) => ({ n, answer, error: null }),
        (error: unknown) => ({ n, answer: null, error }),
      )
      outcomes.push(outcome)
      if (outcome.error === null) answered += 1
      server.publish(++published)
    }
  }
  const working = Promise.all(subscribers.flatMap((each) => Array.from({ length: inFlight }, () => work(each))))
  let isDone = false
  const done = working.finally(() => {
    isDone = true
  })
  const counts = new Map<string, number>()
  const damage = async (): Promise<void> => {
    while (!isDone) {
      const name = random.pick(weighted)
      counts.set(name, (counts.get(name) ?? 0) + 1)
      await faults[name]?.(proxy)
      const next = answered + answersPerFault
      do await setTimeout(random.next() * 100)
      while (!isDone && answered < next)
    }
  }
  await Promise.all([done, damage()])
  proxy.delayMs = 0

  // The last event shows that nothing is under way any more. One that comes back after it, to a history without its position, has a gap in its place.
  const lastSeen = (): (number | 'gap' | undefined)[] => subscribers.map(({ seen }) => seen.at(-1))
  server.publish(++published)
  await expect
    .poll(
      () => {
        if (lastSeen().includes('gap')) server.publish(++published)
        return lastSeen().every((last) => last === published)
      },
      { timeout: 60_000 },
    )
    .toBe(true)
  for (const { client } of subscribers) client.close()
  proxy.cut()
  const codes = new Map<string, number>()
  for (const { error } of outcomes) {
    const code =
      error === null ? 'answered' : error instanceof CallError ? `${error.code} ${error.outcomeUnknown}` : String(error)
    codes.set(code, (codes.get(code) ?? 0) + 1)
  }
  console.info({ seed, ...Object.fromEntries([...codes, ...counts]), connections: proxy.accepted })

  expect(outcomes).toHaveLength(callCount)
  expect(outcomes.filter(({ error }) => error !== null && !(error instanceof CallError))).toEqual([])
  const executions = new Map<number, number>()
  for (const { n } of server.ledger) executions.set(n, (executions.get(n) ?? 0) + 1)
  expect([...executions].filter(([, times]) => times > 1)).toEqual([])
  expect(outcomes.filter(({ n, error, answer }) => error === null && (answer !== n || !executions.has(n)))).toEqual([])
  const isKnown = ({ error }: Outcome): boolean => error instanceof CallError && !error.outcomeUnknown
  expect(outcomes.filter((outcome) => isKnown(outcome) && executions.has(outcome.n))).toEqual([])
  for (const { seen } of subscribers) expect(holesAndRepeats(seen)).toEqual([])
  // The run was one with faults, and most calls were answered all the same.
  expect(codes.get('answered')).toBeGreaterThan(callCount / 2)
  expect(codes.get('connection_lost true')).toBeGreaterThan(0)
})

/** Neighbours that do not follow one another, unless a gap between them was told. */
function holesAndRepeats(seen: Subscriber['seen']): string[] {
  const wrong: string[] = []
  let last: number | null = null
  let hadGap = false
  for (const [i, each] of seen.entries()) {
    if (each === 'gap') {
      hadGap = true
      continue
    }
    const follows = last === null || (hadGap ? each > last : each === last + 1)
    if (!follows) wrong.push(`${last} ${each}: ${seen.slice(Math.max(0, i - 3), i + 4)}`)
    last = each
    hadGap = false
  }
  return wrong
}
