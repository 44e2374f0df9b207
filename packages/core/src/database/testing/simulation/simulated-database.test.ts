import { pgTable, serial, text } from 'drizzle-orm/pg-core'
import * as v from 'valibot'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { route } from '../../../route/route.ts'
import { simulate } from '../../../testing/simulation/simulate.ts'
import type { SimulatedProcess } from '../../../testing/simulation/simulated-node.ts'
import { writeMigrations } from '../../database.fixtures.ts'
import { database } from '../../database-plugin.ts'
import { transaction, withDb } from '../../steps.ts'
import { createSimulatedDatabase, type SimulatedDatabase } from './simulated-database.ts'

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const notes = pgTable('notes', { id: serial().primaryKey(), text: text().notNull() })
const input = v.object({ text: v.string(), pauseMs: v.optional(v.number(), 0) })
const use = [transaction()] as const
const add = route({
  http: 'POST /notes',
  use,
  input,
  handler: async ({ text, pauseMs }, { db }) => {
    await db.insert(notes).values({ text })
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    return text
  },
})
const list = route({
  http: 'GET /notes',
  use: [withDb()],
  handler: async (_input: undefined, { db }) =>
    (await db.select().from(notes).orderBy(notes.id)).map(({ text }) => text),
})

describe('a simulated database', () => {
  let simulated: SimulatedDatabase
  beforeAll(async () => {
    const migrations = await writeMigrations(['create table notes (id serial primary key, text text not null unique)'])
    simulated = await createSimulatedDatabase({ migrations })
  })
  afterAll(() => simulated?.close())
  beforeEach(() => simulated.reset())

  const app = (process: SimulatedProcess) => ({
    pkgIds: { ADD: 1, LIST: 2 },
    routes: { ADD: add, LIST: list },
    plugins: [database({ driver: simulated.driver(process), connect: { retries: 1000 } })],
    deadlineMs: 5000,
  })
  const rows = async (): Promise<readonly string[]> =>
    (await simulated.db.select().from(notes).orderBy(notes.id)).map(({ text }) => text)

  it('is one for all processes, whose transactions run one after the other', async () => {
    const { history } = await simulate({ app, nodes: 2 }, async (sim) => {
      const [one, two] = [sim.client({ node: 0 }), sim.client({ node: 1 })]
      const first = one.call('ADD', { text: 'first', pauseMs: 1000 })
      await sim.sleep(500)
      // It waits for the end of the open transaction, and so does a check of the schedule.
      const second = two.call('LIST')
      expect(await rows()).toEqual(['first'])
      expect([await first, await second]).toEqual(['first', ['first']])
    })
    const places = ['node 1 > database: insert', 'node 2 > database: select "id"', 'node 1 > database: commit'].map(
      (each) => history.findIndex((line) => line.includes(each)),
    )
    expect(places).toEqual([...places].sort((a, b) => a - b))
  })

  it('errors of statements are those of PostgreSQL', async () => {
    await simulate({ app }, async (sim) => {
      const client = sim.client()
      await client.call('ADD', { text: 'once' })
      await expect(client.call('ADD', { text: 'once' })).rejects.toMatchObject({ code: 'conflict' })
    })
  })

  it('a cut loses a COMMIT, or its answer: the call is told that its outcome is unknown', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; outcomes.size < 3 && seed < 200; seed++) {
      await simulated.reset()
      await simulate({ app, seed }, async (sim) => {
        const call = sim.client().call('ADD', { text: 'a' })
        await sim.sleep(sim.random.integer(60, 140))
        sim.nodes[0]?.services.cut()
        const answer = await call.catch(({ code }: { readonly code: string }) => code)
        await sim.sleep(1000)
        outcomes.add(`${answer}, ${(await rows()).length}`)
      })
    }
    expect([...outcomes]).toEqual(expect.arrayContaining(['outcome_unknown, 0', 'outcome_unknown, 1']))
    // Nothing that was answered with success is missing, and nothing that failed is there.
    expect([...outcomes].filter((each) => /^a, 0|^unavailable, 1/.test(each))).toEqual([])
  })

  it('the transaction of a process that is killed is rolled back, and the next one has its turn', async () => {
    await simulate({ app, nodes: 2 }, async (sim) => {
      const lost = sim.client({ node: 0 }).call('ADD', { text: 'lost', pauseMs: 1000 })
      lost.catch(() => {})
      await sim.sleep(500)
      const next = sim.client({ node: 1 }).call('ADD', { text: 'lost' })
      sim.nodes[0]?.kill()
      expect(await next).toBe('lost')
      expect(await rows()).toEqual(['lost'])
    })
  })

  it('a statement that waits for a transaction is cancelled by the deadline of its call', async () => {
    await simulate({ app, nodes: 2 }, async (sim) => {
      const [one, two] = [sim.client({ node: 0 }), sim.client({ node: 1 })]
      const slow = one.call('ADD', { text: 'slow', pauseMs: 4900 })
      await sim.sleep(100)
      sim.nodes[0]?.services.hold()
      await expect(two.call('LIST')).rejects.toMatchObject({ code: 'deadline_exceeded' })
      sim.nodes[0]?.services.release()
      // Its COMMIT was on the way.
      expect([await slow, await two.call('LIST')]).toEqual(['slow', ['slow']])
    })
  })

  it('is as before after a schedule that has failed in the middle of a transaction', async () => {
    const failing = simulate({ app }, async (sim) => {
      void sim
        .client()
        .call('ADD', { text: 'open', pauseMs: 1000 })
        .catch(() => {})
      await sim.sleep(500)
      throw new Error('planted')
    })
    await expect(failing).rejects.toThrow('planted')
    await simulated.reset()
    expect(await rows()).toEqual([])
    await simulate({ app }, async (sim) => {
      expect(await sim.client().call('LIST')).toEqual([])
    })
  })
})
