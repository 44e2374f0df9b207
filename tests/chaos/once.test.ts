// Servers are killed while they run calls of once() with an outbox, at each message of the transaction and before the reply leaves. The client
// repeats the call over the other wire, on another node: one effect, one publication, equal replies. CHAOS_ROUNDS and CHAOS_SEED are in the environment.
import process from 'node:process'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Random } from '../differential/random.ts'
import { type BuiltApp, buildApp } from '../support/built-app.ts'
import { ChaosLedger, readStream } from '../support/chaos-ledger.ts'
import { type ChaosAnswer, type ChaosCall, ChaosNode, type ChaosWire, TransactionWatch } from '../support/chaos-node.ts'
import { startChaosObserver } from '../support/chaos-observer.ts'
import { type ChaosMessages, type ChaosRound, planRounds } from '../support/chaos-rounds.ts'
import { chaosDdl, type Mark } from '../support/chaos-shared.ts'
import { hasPostgres, startPostgres, type TestPostgres } from '../support/postgres.ts'
import { hasRedis, redisClient, startRedis, type TestRedis } from '../support/redis.ts'

const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const wantedRounds = process.env.CHAOS_ROUNDS === undefined ? null : Number(process.env.CHAOS_ROUNDS)
const topics = ['marks:0', 'marks:1']

describe.skipIf(!(await hasPostgres()) || !(await hasRedis()))('once() with an outbox', () => {
  let server: TestPostgres
  let redis: TestRedis
  let query: postgres.Sql
  let app: BuiltApp
  const nodes = new Set<ChaosNode>()
  const starting: Promise<ChaosNode>[] = []
  let started = 0
  let repeated = 0

  /** As a client does that has to know. */
  const answerOf = async (node: ChaosNode, call: ChaosCall): Promise<ChaosAnswer> => {
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      const answer = await node.call(call)
      if (answer === null) throw new Error(`${node.name} was killed, which should answer`)
      if (!mayRepeat(answer)) return answer
      repeated += 1
    }
    throw new Error(`The call ${call.key} has no final answer after 10 attempts`)
  }
  const start = async (): Promise<ChaosNode> => {
    started += 1
    const env = { REDIS: redis.url, PREFIX: redis.prefix }
    const node = await ChaosNode.start(app, `node-${started}`, server.url, env)
    nodes.add(node)
    return node
  }
  /** One that has started already, as a rule. */
  const nextNode = (): Promise<ChaosNode> => {
    while (starting.length < 3) starting.push(start())
    const [first] = starting.splice(0, 1)
    if (first === undefined) throw new Error('None is starting')
    return first
  }

  beforeAll(async () => {
    server = await startPostgres()
    redis = await startRedis()
    query = postgres(server.url, { max: 2, onnotice: () => {} })
    await query.unsafe(chaosDdl)
    app = await buildApp('chaos-app.ts')
  })
  afterAll(async () => {
    await Promise.all(starting)
    for (const node of nodes) await node.close()
    await app.remove()
    await query.end()
    await redis.stop()
    await server.stop()
  })

  const isSent = async (): Promise<boolean> => (await query`select id from twinwire_outbox`).length === 0
  const serve = async (node: ChaosNode, ledger: ChaosLedger, key: string): Promise<void> => {
    const call: ChaosCall = { wire: 'http', key, topic: 'marks:0' }
    ledger.begin(key, call.topic, `a call that ${node.name} serves`)
    ledger.answered(key, await answerOf(node, call))
    // The connection is free again.
    await expect.poll(isSent).toBe(true)
  }
  /** On a node of its own. */
  const measure = async (ledger: ChaosLedger, random: Random): Promise<ChaosMessages> => {
    const node = await start()
    const [ofCall, ofSender] = [new TransactionWatch('call'), new TransactionWatch('sender')]
    node.proxy.onMessage = (message) => {
      for (const watch of [ofCall, ofSender]) watch.see(message)
      return 'pass'
    }
    await serve(node, ledger, random.uuid())
    const [call, sender] = [[...ofCall.messages], [...ofSender.messages]]
    await serve(node, ledger, random.uuid())
    nodes.delete(node)
    await node.close()
    return { call, sender, served: ofCall.messages }
  }

  test(
    'one effect, one publication and equal replies, whenever a node is killed',
    async () => {
      const random = new Random(seed)
      const ledger = new ChaosLedger()
      const observer = await startChaosObserver(redis, topics)
      const messages = await measure(ledger, random)
      for (const [list, least] of [
        [messages.call, 40],
        [messages.sender, 30],
        [messages.served, 20],
      ] as const) {
        expect(list.length).toBeGreaterThan(least)
        expect(list.slice(-3)).toContain('server C')
        expect(list.at(-1)).toBe('server Z')
      }
      const { rounds, everyMessage } = planRounds(random, wantedRounds, messages)
      console.info(`Messages: ${Object.entries(messages).map(([of, list]) => `${list.length} (${of})`)}`)
      console.info(`The same rounds again: CHAOS_ROUNDS=${rounds.length} CHAOS_SEED=${seed}`)

      const stats = { killed: 0, lost: 0, call: new Set<number>(), sender: new Set<number>() }
      let [old, fresh] = [await nextNode(), await nextNode()]
      /** Returns whether it was killed at the point. */
      const play = async (round: ChaosRound, story: string): Promise<boolean> => {
        const { point } = round
        const [doomed, survivor] = round.node === 'old' ? [old, fresh] : [fresh, old]
        if (round.node === 'served') await serve(doomed, ledger, random.uuid())
        const wires: readonly ChaosWire[] = random.chance(0.5) ? ['ws', 'http'] : ['http', 'ws']
        const [wire = 'ws', otherWire = 'http'] = wires
        const call: ChaosCall = { wire, key: random.uuid(), topic: random.pick(topics) }
        ledger.begin(call.key, call.topic, story)
        const repeat = async (on: ChaosWire): Promise<Mark> =>
          ledger.answered(call.key, await answerOf(survivor, { ...call, wire: on }))
        const besides = Array.from({ length: round.besides }, async () => {
          const key = random.uuid()
          ledger.begin(key, call.topic, `beside ${story}`)
          ledger.answered(key, await answerOf(survivor, { ...call, key, wire: random.pick(wires) }))
        })
        const armed = doomed.arm(point)
        doomed.proxy.lingerMs = round.lingerMs
        const first = doomed.call(call, armed.onSend)
        if (round.isDoubled) besides.push(repeat(random.pick(wires)).then(() => {}))
        const answer = await first
        // It may be killed after the reply.
        const isLater = point.kind === 'moment' || (point.kind === 'message' && point.of === 'sender')
        if (isLater) await expect.poll(async () => doomed.isDead || (await isSent())).toBe(true)
        const isKilled = doomed.isDead
        doomed.signal('SIGKILL')
        if (isKilled) stats.killed += 1
        const isMessage = isKilled && point.kind === 'message'
        // Of a node that has served a call, another connection may be used, on which nothing is prepared.
        const expected = messages[round.node === 'fresh' ? 'call' : 'served']
        const isOther = isMessage && round.mustKill && point.of === 'call' && armed.message() !== expected[point.n - 1]
        if (isMessage && !isOther && round.node === 'fresh') stats[point.of].add(point.n)
        if (answer === null) stats.lost += 1
        else if (!mayRepeat(answer)) ledger.answered(call.key, answer)
        const replacement = nextNode()
        const mark = await repeat(otherWire)
        const hasCommitted = isKilled && !round.isDoubled ? armed.hasCommitted() : null
        if (hasCommitted !== null) expect(mark.node).toBe(hasCommitted ? doomed.name : survivor.name)
        await repeat(wire)
        await Promise.all(besides)
        nodes.delete(doomed)
        await doomed.close()
        old = survivor
        fresh = await replacement
        return isKilled && !isOther
      }
      for (const [i, round] of rounds.entries()) {
        const story = `round ${i} of seed ${seed}, ${JSON.stringify(round)}`
        try {
          for (let attempt = 1; !(await play(round, story)) && round.mustKill; attempt += 1)
            if (attempt === 5) throw new Error('It was not killed there')
        } catch (cause) {
          throw new Error(`${story}: ${String(cause)}`, { cause })
        }
      }
      console.info(`Killed: ${stats.killed}. Calls without an answer: ${stats.lost}; repeated: ${repeated}`)
      console.info(`Messages at which: ${stats.call.size} of a call, ${stats.sender.size} of the sender`)
      expect(stats.lost).toBeGreaterThan(rounds.length / 3)
      if (rounds.length >= everyMessage) {
        expect(stats.call.size).toBe(messages.call.length)
        expect(repeated).toBeGreaterThan(0)
      }

      for (const { key, topic } of ledger.keys)
        for (const wire of ['ws', 'http'] as const)
          for (const node of [old, fresh]) ledger.answered(key, await answerOf(node, { wire, key, topic }))
      // The last of each topic: what is published twice would be before it.
      for (const topic of topics) {
        const key = random.uuid()
        ledger.begin(key, topic, 'the last one')
        ledger.answered(key, await answerOf(old, { wire: 'ws', key, topic }))
      }
      const marks = await ledger.checkRows(query)
      const client = redisClient(redis.url)
      for (const topic of topics) expect(await readStream(client, redis.prefix, topic)).toEqual(marks.get(topic))
      client.disconnect()
      const topicOf = new Map(ledger.keys.map(({ key, topic }) => [key, topic]))
      const seen = new Map<string | undefined, Mark[]>(topics.map((topic) => [topic, []]))
      for (const event of await observer.take(ledger.keys.length)) seen.get(topicOf.get(event.name))?.push(event)
      expect(seen).toEqual(marks)
      await observer.close()
    },
    120_000 + 5000 * (wantedRounds ?? 100),
  )
})

/** What the documentation allows to repeat: the first call is in progress, was rolled back, or may have committed. */
function mayRepeat({ data }: ChaosAnswer): boolean {
  const { code, error } = Object(data)
  const found = String(code ?? Object(error).code)
  return ['idempotency_in_progress', 'deadline_exceeded', 'outcome_unknown'].includes(found)
}
