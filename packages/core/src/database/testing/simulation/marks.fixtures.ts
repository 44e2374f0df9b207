// An app whose calls write a row with once() and publish it by the outbox, and variants of it with faults that are planted. The schedule disturbs
// everything, and its ledger compares what clients were answered and received with the rows.
import { sql } from 'drizzle-orm'
import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import type { Call } from '../../../call/call.ts'
import { event } from '../../../call/event.ts'
import type { Hub } from '../../../hub/hub.ts'
import { route } from '../../../route/route.ts'
import { fakeIdentity } from '../../../testing/fake-identity.ts'
import { runSchedules, simulate } from '../../../testing/simulation/simulate.ts'
import type { SimulatedProcess } from '../../../testing/simulation/simulated-node.ts'
import type { Simulation } from '../../../testing/simulation/simulation.ts'
import { writeMigrations } from '../../database.fixtures.ts'
import type { Database } from '../../database.ts'
import { database } from '../../database-plugin.ts'
import type { DriverConnection, DriverResult, DriverStatement, OpenDriver } from '../../drivers/driver.ts'
import { once } from '../../once/once-step.ts'
import { transaction, type WithDatabase } from '../../steps.ts'
import { createSimulatedDatabase, type SimulatedDatabase } from './simulated-database.ts'

const tables = `
  create table twinwire_once (key text primary key, fingerprint text not null, reply text, expires_at timestamptz not null);
  create index twinwire_once_expires_at on twinwire_once (expires_at);
  create table twinwire_outbox (
    id bigint primary key generated always as identity, stream text not null, publication text not null,
    created_at timestamptz default clock_timestamp() not null
  );
  create table marks (id serial primary key, name text not null);
`
const marks = pgTable('marks', { id: serial().primaryKey(), name: text().notNull() })

const Input = v.object({ name: v.string() })
const Mark = v.object({ id: v.number(), name: v.string() })
type Mark = v.InferOutput<typeof Mark>
const marked = event({ data: Mark })
const topic = 'marks'

async function write(db: Database, name: string): Promise<Mark> {
  const [row] = await db.insert(marks).values({ name }).returning()
  if (row === undefined) throw new Error('No row')
  return row
}

const ofMark = { http: { route: 'POST /marks' }, input: Input, output: Mark } as const
const reserved = once({ retention: 86_400_000 })

async function writeAndPublish({ name }: v.InferOutput<typeof Input>, call: Call & WithDatabase): Promise<Mark> {
  const mark = await write(call.db, name)
  call.publish(topic, marked, mark)
  return mark
}

const withOutbox = route({ ...ofMark, use: [reserved, transaction({ outbox: true })], handler: writeAndPublish })
const withoutOutbox = route({ ...ofMark, use: [reserved, transaction()], handler: writeAndPublish })

/** `right`, or the fault that is planted. */
export type Variant = 'right' | 'reply stored after the commit' | 'published before the commit' | 'no outbox'

/** The app of one process. */
function appOf(simulated: SimulatedDatabase, variant: Variant, process: SimulatedProcess) {
  let hub: Hub | null = null
  const early = route({
    ...ofMark,
    use: [reserved, transaction()],
    handler: async ({ name }, call) => {
      const mark = await write(call.db, name)
      await hub?.publish(topic, marked, mark)
      return mark
    },
  })
  const others = { 'published before the commit': early, 'no outbox': withoutOutbox } as const
  const MARK = variant === 'published before the commit' || variant === 'no outbox' ? others[variant] : withOutbox
  const right = simulated.driver(process)
  const driver = variant === 'reply stored after the commit' ? storingLate(right) : right
  return {
    pkgIds: { MARK: 1, MARKED: 100 },
    routes: { MARK },
    events: { MARKED: marked },
    topics: { [topic]: { authorize: () => true, subscribe: true, history: { size: 1000, ttl: '1h' } } },
    plugins: [
      // A process that starts while the network is down waits for it.
      database({ driver, connect: { retries: 1000 }, pool: { max: 3 }, outbox: { pollMs: 1000 } }),
      fakeIdentity(),
      {
        name: 'hub',
        setup(host: { readonly hub: Hub }) {
          hub = host.hub
        },
      },
    ],
    deadlineMs: 3000,
  } as const
}

/** Key and reply of `once()` are stored behind the COMMIT, in a transaction of their own. */
function storingLate(open: OpenDriver): OpenDriver {
  return async (context) => {
    const driver = await open(context)
    return { ...driver, connect: () => lateConnection(driver.connect()) }
  }
}

function lateConnection(inner: DriverConnection): DriverConnection {
  let late: DriverStatement[] = []
  const oneRow = (name: string, value: string): DriverResult => ({
    rows: [[value]],
    fields: [{ name, dataTypeID: 25 }],
  })
  return {
    get lost() {
      return inner.lost
    },
    open: () => inner.open(),
    close: () => inner.close(),
    async query(statement, signal) {
      const [key] = statement.parameters
      if (statement.text.startsWith('insert into twinwire_once')) {
        const text = 'select key from twinwire_once where key = $1'
        const known = await inner.query({ text, parameters: [key ?? null], types: [25] }, signal)
        if (known.rows.length > 0) return { ...known, rows: [] }
        late.push(statement)
        return oneRow('key', key ?? '')
      }
      if (!statement.text.startsWith('with kept')) return inner.query(statement, signal)
      late.push(statement)
      return oneRow('?column?', '1')
    },
    async command(text) {
      const statements = late
      if (/^(?:begin|commit|rollback)/.test(text)) late = []
      const tag = await inner.command(text)
      if (text === 'commit') for (const each of statements) await inner.query(each, null)
      return tag
    },
  }
}

type MarksApp = ReturnType<typeof appOf>
type MarksSimulation = Simulation<MarksApp['routes'], MarksApp['events']>

/** The app with its database, for the tests of one file. */
export interface Marks {
  /** Plays schedules of the app from seed 1 on, and throws the first failure. */
  check(variant: Variant, runs: number): Promise<void>
  /** Plays one of the right app. */
  history(seed: number): Promise<readonly string[]>
  /** How often node 1 asks for rows of the outbox in ten seconds, after node 2 has sent what the broker had refused to node 1. */
  askedAfterTakeover(): Promise<number>
  close(): Promise<void>
}

export async function prepareMarks(): Promise<Marks> {
  const simulated = await createSimulatedDatabase({ migrations: await writeMigrations([tables]) })
  const optionsOf = (variant: Variant) => ({
    nodes: 2,
    app: (process: SimulatedProcess) => appOf(simulated, variant, process),
  })
  const before = () => simulated.reset()
  return {
    check: (variant, runs) => runSchedules({ ...optionsOf(variant), before, runs }, (sim) => play(sim, simulated)),
    async history(seed) {
      await before()
      return (await simulate({ ...optionsOf('right'), seed }, (sim) => play(sim, simulated))).history
    },
    async askedAfterTakeover() {
      await before()
      const { history } = await simulate({ ...optionsOf('right'), seed: 1 }, (sim) => takeOver(sim, simulated))
      const since = history.findIndex((line) => line.endsWith('sent by node 2'))
      return history.slice(since).filter((line) => line.includes('node 1 > database: select')).length
    },
    close: () => simulated.close(),
  }
}

async function takeOver(sim: MarksSimulation, simulated: SimulatedDatabase): Promise<void> {
  const [one, two] = sim.nodes
  one?.cutBroker()
  two?.services.hold()
  await sim.client({ identity: 'ann', node: 0 }).call('MARK', { name: 'refused' })
  // Until node 1 makes so long pauses that node 2 is the next one to send.
  await sim.sleep(5000)
  two?.services.release()
  await sim.sleep(10_000)
  const left = await simulated.db.select({ id: sql`id` }).from(sql`twinwire_outbox`)
  if (left.length > 0) throw new Error('Node 2 has not sent it')
  sim.note('sent by node 2')
  await sim.sleep(10_000)
}

interface Sent {
  readonly name: string
  reply: Mark | null
  /** Null while it is under way. */
  error: { readonly code: string; readonly outcomeUnknown: boolean } | null
}

/** Clients write over both wires while everything is disturbed, and one follows. */
async function play(sim: MarksSimulation, simulated: SimulatedDatabase): Promise<void> {
  const received: Mark[] = []
  let gaps = 0
  const follower = sim.client({ name: 'bob', identity: 'bob' })
  await follower.subscribe(topic, {
    onEvent: ({ data }) => void received.push(data),
    onGap: () => {
      gaps += 1
    },
  }).ready
  const writers = [sim.client({ name: 'ann', identity: 'ann' }), sim.client({ name: 'cid', identity: 'cid' })]
  sim.disturb({ everyMs: 300 })
  const sent: Sent[] = []
  const answers: Promise<void>[] = []
  for (let n = 1; n <= 6; n++) {
    const each: Sent = { name: `mark ${n}`, reply: null, error: null }
    sent.push(each)
    const writer = sim.random.pick(writers)
    const { name } = each
    const call = sim.random.chance(0.7) ? writer.call('MARK', { name }) : writer.http('MARK', { name })
    answers.push(
      call.then(
        (reply) => {
          each.reply = reply
        },
        (error) => {
          sim.note(`${name}: ${String(error)}`)
          each.error = error
        },
      ),
    )
    await sim.sleep(sim.random.integer(0, 400))
  }
  await Promise.all(answers)
  await sim.calm()
  // Statements of processes that were killed have ended, and the outbox has been sent.
  await sim.sleep(10_000)
  compare(sent, await simulated.db.select().from(marks).orderBy(marks.id), received, gaps)
}

/** Throws for the first difference. */
function compare(sent: readonly Sent[], rows: readonly Mark[], received: readonly Mark[], gaps: number): void {
  for (const { name, reply, error } of sent) {
    const own = rows.filter((row) => row.name === name)
    if (own.length > 1) throw new Error(`${name} has ${own.length} rows`)
    if (reply !== null && own[0]?.id !== reply.id) throw new Error(`${name} was answered, and its row is ${own[0]?.id}`)
    if (error !== null && !error.outcomeUnknown && own.length > 0) throw new Error(`${name} failed, and has a row`)
  }
  const ids = received.map(({ id }) => id)
  for (const id of ids)
    if (!rows.some((row) => row.id === id)) throw new Error(`mark ${id} was published, and has no row`)
  if (new Set(ids).size < ids.length) throw new Error(`published twice: ${ids.join(', ')}`)
  if (ids.some((id, i) => id < (ids[i - 1] ?? 0))) throw new Error(`published out of order: ${ids.join(', ')}`)
  const missing = rows.filter(({ id }) => !ids.includes(id))
  if (gaps === 0 && missing.length > 0) throw new Error(`never published: ${missing.map(({ id }) => id).join(', ')}`)
}
