import { expect, it } from 'vitest'
import { createTestLogger } from '../testing/test-logger.ts'
import { createVirtualClock } from '../testing/virtual-clock.ts'
import type { Broker, Member } from './broker.ts'
import type { HubConnection } from './connection.ts'
import { maxInfoBytes, type PresenceRule, PresenceTable } from './presence-table.ts'

type Answer = () => void | Promise<void>

interface Options {
  readonly info?: PresenceRule['memberInfo']
  readonly answer?: Answer
  /** Called when a page is read. */
  readonly presence?: (topic: string) => unknown
}

function create({ info = () => null, answer = () => {}, presence = () => {} }: Options = {}) {
  const clock = createVirtualClock()
  const log = createTestLogger()
  const told: string[] = []
  const broker: Pick<Broker, 'join' | 'leave' | 'presence'> = {
    join(topic, { connection, info: what }) {
      told.push(`${connection} joins ${topic}${what === null ? '' : ` with ${JSON.stringify(what)}`}`)
      return answer()
    },
    presence: (topic) => {
      presence(topic)
      return { members: [], cursor: null }
    },
    leave(topic, { connection }) {
      told.push(`${connection} leaves ${topic}`)
      return answer()
    },
  }
  const rule: PresenceRule = { presence: true, memberInfo: info }
  const ruleOf = (topic: string) => (topic === 'none' ? null : { ...rule, presence: topic !== 'plain' })
  const table = new PresenceTable({ broker, clock, log, ruleOf })
  return { table, told, clock, log }
}

interface FakeConnection extends Pick<HubConnection, 'id' | 'serial' | 'topics' | 'deliver'> {
  identity: HubConnection['identity']
  readonly frames: unknown[]
  end(): void
  ended: number
}

let serials = 0
function connect(name: string, topics: readonly string[] = []): HubConnection & FakeConnection {
  const connection: FakeConnection = {
    id: name,
    serial: ++serials,
    topics,
    identity: { id: `id-${name}`, name },
    frames: [],
    ended: 0,
    deliver(data) {
      this.frames.push(JSON.parse(Buffer.from(data).toString()))
      return !name.startsWith('slow')
    },
    end() {
      this.ended++
    },
  }
  // The table uses no more of it.
  return connection as HubConnection & FakeConnection
}

const member = (connection: string): Member => ({ connection, identity: null, info: null })

it('tells the broker who joins and leaves topics with presence, and of no other topic', () => {
  const { table, told } = create()
  const ann = connect('ann')
  for (const topic of ['a', 'plain', 'none']) table.joined(ann, topic)
  expect(table.size).toBe(1)
  for (const topic of ['a', 'plain', 'none']) table.left(ann, topic)
  table.left(ann, 'a')
  expect([told, table.size]).toEqual([['ann joins a', 'ann leaves a'], 0])
})

it('the rule says what the others know of a member: JSON of at most 4 KiB', () => {
  const results: Record<string, unknown> = {
    fine: { name: 'Ann', at: new Date(0) },
    full: 'x'.repeat(maxInfoBytes - 2),
    long: 'x'.repeat(maxInfoBytes - 1),
    nothing: undefined,
    function: () => {},
    big: { n: 1n },
  }
  const { table, told, log } = create({
    info(_connection, topic) {
      if (topic === 'broken') throw new Error('no database')
      return results[topic]
    },
  })
  for (const topic of [...Object.keys(results), 'broken']) table.joined(connect('ann'), topic)
  expect(told).toEqual([
    'ann joins fine with {"name":"Ann","at":"1970-01-01T00:00:00.000Z"}',
    `ann joins full with "${results.full}"`,
    'ann joins long',
    'ann joins nothing',
    'ann joins function',
    'ann joins big',
    'ann joins broken',
  ])
  expect(log.lines.map(({ fields }) => fields.topic)).toEqual(['long', 'function', 'big', 'broken'])
})

it('a renewed identity is told if it changes what the others know', () => {
  const { table, told } = create({ info: ({ identity }) => identity?.name })
  const ann = connect('ann', ['a', 'b', 'plain'])
  for (const topic of ann.topics) table.joined(ann, topic)
  table.left(ann, 'b')
  table.renewed(ann)
  ann.identity = { id: 'id-ann', name: 'Dr. Ann' }
  table.renewed(ann)
  expect(told.slice(3)).toEqual(['ann joins a with "Dr. Ann"'])
})

it('informs those who watch the topic, but not of themselves, and ends those that are too slow', () => {
  const { table } = create()
  const [ann, bob, slow] = [connect('ann'), connect('bob'), connect('slow')]
  table.watch(ann, 'a')
  table.watch(bob, 'a')
  table.watch(slow, 'a')
  table.watch(bob, 'b')
  table.changed({ topic: 'a', kind: 'joined', member: member('ann') })
  table.changed({ topic: 'none', kind: 'joined', member: member('ann') })
  table.left(bob, 'a')
  table.changed({ topic: 'a', kind: 'left', member: member('eve') })
  expect(ann.frames).toEqual([{ type: 'left', topic: 'a', member: member('eve') }])
  expect(bob.frames).toEqual([{ type: 'joined', topic: 'a', member: member('ann') }])
  expect([ann.ended, bob.ended, slow.ended]).toEqual([0, 0, 2])
})

it('what the broker does not take is told again until it does, and logged once', async () => {
  let isDown = true
  const { table, told, clock, log } = create({
    answer: async () => {
      if (isDown) throw new Error('no connection')
    },
  })
  const [ann, bob] = [connect('ann'), connect('bob')]
  table.joined(ann, 'a')
  table.joined(bob, 'a')
  await clock.advance(5000)
  table.left(bob, 'a')
  await clock.advance(5000)
  expect(told).toContain('bob leaves a')
  isDown = false
  told.length = 0
  await clock.advance(5000)
  expect(told.toSorted()).toEqual(['ann joins a', 'bob leaves a'])
  expect([table.size, clock.pendingTimers]).toEqual([1, 0])
  expect(log.lines.map(({ level }) => level)).toEqual(['error', 'info'])
})

it('tells one thing at a time: the last that is wanted', async () => {
  const answers: (() => void)[] = []
  const { table, told, clock } = create({ answer: () => new Promise((resolve) => answers.push(resolve)) })
  const ann = connect('ann')
  table.joined(ann, 'a')
  table.left(ann, 'a')
  table.joined(ann, 'a')
  table.left(ann, 'a')
  expect(told).toEqual(['ann joins a'])
  for (let i = 0; i < 3; i++) {
    answers.shift()?.()
    await clock.advance(0)
  }
  expect([told, table.size]).toEqual([['ann joins a', 'ann leaves a'], 0])
})

it('the first page waits for what the broker has not answered of its topic, and for nothing that comes later', async () => {
  const answers: { resolve(): void; reject(error: Error): void }[] = []
  const { table, told, clock } = create({
    answer: () => new Promise((resolve, reject) => answers.push({ resolve, reject })),
    presence: (topic) => told.push(`page of ${topic}`),
  })
  const [ann, bob, eve] = [connect('ann'), connect('bob'), connect('eve')]
  table.joined(ann, 'a')
  table.joined(bob, 'a')
  // Told when the broker has answered the join.
  table.left(bob, 'a')
  const page = table.page('a', null, 100)
  table.joined(eve, 'a')
  void table.page('a', 'cursor', 100)
  void table.page('b', null, 100)
  expect(told.splice(0)).toEqual(['ann joins a', 'bob joins a', 'eve joins a', 'page of a', 'page of b'])
  answers[1]?.resolve()
  await clock.advance(0)
  expect(told.splice(0)).toEqual(['bob leaves a'])
  answers[3]?.resolve()
  await clock.advance(0)
  expect(told).toEqual([])
  answers[0]?.resolve()
  await page
  expect(told.splice(0)).toEqual(['page of a'])
  // What the broker does not take holds no page.
  const other = table.page('a', null, 100)
  answers[2]?.reject(new Error('no connection'))
  await other
  expect(table.page('a', null, 100)).toEqual({ members: [], cursor: null })
  await clock.advance(1000)
  expect(told).toEqual(['page of a', 'page of a', 'eve joins a'])
  table.close()
})

it('the first page does not wait for a connection that comes and goes all the time', async () => {
  const answers: (() => void)[] = []
  const { table, told, clock } = create({
    answer: () => new Promise<void>((resolve) => void answers.push(resolve)),
    presence: (topic) => told.push(`page of ${topic}`),
  })
  const ann = connect('ann')
  table.joined(ann, 'a')
  table.left(ann, 'a')
  table.joined(ann, 'a')
  const page = table.page('a', null, 100)
  const changeDuringAnswer = async () => {
    table.left(ann, 'a')
    table.joined(ann, 'a')
    answers.shift()?.()
    await clock.advance(0)
  }
  await changeDuringAnswer()
  expect(told).toEqual(['ann joins a', 'ann joins a'])
  await changeDuringAnswer()
  expect(told).toEqual(['ann joins a', 'ann joins a', 'ann joins a', 'page of a'])
  await page
  for (let i = 0; i < 10; i += 1) await changeDuringAnswer()
  answers.shift()?.()
  await clock.advance(0)
  expect(told).toHaveLength(14)
  expect(table.page('a', null, 100)).toEqual({ members: [], cursor: null })
})

it('a flush resolves when the broker has everything', async () => {
  let isDown = true
  const { table, clock } = create({
    answer: () => {
      if (isDown) throw new Error('no connection')
    },
  })
  const ann = connect('ann')
  table.joined(ann, 'a')
  table.left(ann, 'a')
  let isFlushed = false
  const flushed = table.flush().then(() => {
    isFlushed = true
  })
  await clock.advance(1000)
  expect(isFlushed).toBe(false)
  isDown = false
  await clock.advance(1000)
  expect(isFlushed).toBe(true)
  await flushed
  table.close()
  table.joined(ann, 'a')
  expect([table.size, clock.pendingTimers]).toEqual([0, 0])
})
