import { randomBytes, randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import * as v from 'valibot'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { event, type Plugin, route } from '../../index.ts'
import { fakeIdentity, runSchedules, SimulationFailure, simulate } from '../../testing.ts'

afterEach(() => vi.unstubAllEnvs())

const now = route({ http: 'GET /now', output: v.object({ ms: v.number() }), handler: () => ({ ms: Date.now() }) })
const slow = route({
  http: 'GET /slow',
  handler: async () => {
    await new Promise((resolve) => setTimeout(resolve, 20_000))
    return 'late'
  },
})
const app = () => ({ pkgIds: { NOW: 1, SLOW: 2 }, routes: { NOW: now, SLOW: slow } })

async function failureOf(work: Promise<unknown>): Promise<SimulationFailure> {
  const error: unknown = await work.catch((reason: unknown) => reason)
  if (error instanceof SimulationFailure) return error
  throw new Error('It did not fail', { cause: error })
}

describe('options that would play nothing', () => {
  const schedule = async (): Promise<void> => {}

  it.each([
    [{ runs: 0 }, 'runs must be an integer of at least 1, received 0'],
    [{ runs: Number('x') }, 'runs must be an integer of at least 1, received NaN'],
    [{ runs: 1, nodes: 0 }, 'nodes must be an integer of at least 1, received 0'],
    [{ runs: 1, seed: 1.5 }, 'seed must be an integer, received 1.5'],
    [{ runs: 1, maxMs: 0 }, 'maxMs must be more than 0, received 0'],
    [
      { runs: 1, network: { minDelayMs: 5, maxDelayMs: 1 } },
      'network: minDelayMs (5) must be from 0 to maxDelayMs (1)',
    ],
  ])('%j are refused: %s', async (options, message) => {
    await expect(runSchedules({ ...options, app }, schedule)).rejects.toThrow(new TypeError(message))
  })

  it('are refused by simulate, client and disturb too', async () => {
    await expect(simulate({ nodes: 0, app }, schedule)).rejects.toThrow(TypeError)
    await simulate({ app }, async (sim) => {
      expect(() => sim.disturb({ everyMs: 0 })).toThrow('everyMs must be more than 0, received 0')
      expect(() => sim.disturb({ kinds: [] })).toThrow('kinds must name a fault')
      const message = 'client(): node must be an index from 0 to 0, received 1'
      expect(() => sim.client({ node: 1 })).toThrow(new RangeError(message))
    })
  })
})

describe('simulate', () => {
  it('calls over both wires, as an identity or anonymously', async () => {
    const who = route({ http: 'GET /who', handler: (_input: undefined, call) => call.identity?.id ?? null })
    await simulate(
      { app: () => ({ pkgIds: { WHO: 1 }, routes: { WHO: who }, plugins: [fakeIdentity()] }) },
      async (sim) => {
        const ann = sim.client({ identity: 'ann' })
        expect([await ann.call('WHO'), await ann.http('WHO')]).toEqual(['ann', 'ann'])
        await expect(sim.client().http('WHO')).rejects.toMatchObject({ code: 'authentication_failed' })
      },
    )
  })

  it('lets time pass only when nothing else is left to do, and hours in no time', async () => {
    await simulate({ app, maxMs: 10 ** 9 }, async (sim) => {
      const begin = Date.now()
      expect(new Date(begin).toISOString()).toMatch(/^2026-01-01T00:00:00/)
      await sim.sleep(3_600_000)
      expect(Date.now() - begin).toBe(3_600_000)
      // Files are waited for, and take no time.
      await Promise.all([readFile(import.meta.filename), readFile(import.meta.filename)])
      expect(new Date().toISOString()).toBe(new Date(begin + 3_600_000).toISOString())
      const times: number[] = []
      const interval = setInterval(() => times.push(Date.now() - begin), 1000)
      await new Promise((resolve) => setTimeout(resolve, 2500))
      clearInterval(interval)
      expect(times).toEqual([3_601_000, 3_602_000])
      const aborted = AbortSignal.abort('left')
      await expect(pause(1000, 1, { signal: aborted })).rejects.toMatchObject({ name: 'AbortError', cause: 'left' })
      const controller = new AbortController()
      setTimeout(() => controller.abort(), 100)
      await expect(pause(1000, 1, { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORT_ERR' })
      expect([await pause(400, 'value', { signal: new AbortController().signal }), Date.now() - begin]).toEqual([
        'value',
        3_603_000,
      ])
      const { ms } = await sim.client().call('NOW')
      expect(ms).toBeGreaterThanOrEqual(begin + 3_603_000)
    })
  })

  it('draws what is random from the seed, and restores everything', async () => {
    const draw = async (seed: number): Promise<unknown[]> => {
      const drawn: unknown[] = []
      await simulate({ seed, app }, async () => {
        drawn.push(Math.random(), randomUUID(), randomBytes(4).toString('hex'), crypto.randomUUID())
        drawn.push(...crypto.getRandomValues(new Uint8Array(2)), performance.now())
      })
      return drawn
    }
    const { Date: realDate, setTimeout: realTimeout } = globalThis
    const first = await draw(1)
    expect(await draw(1)).toEqual(first)
    expect(await draw(2)).not.toEqual(first)
    expect(first[1]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(globalThis.Date).toBe(realDate)
    expect(globalThis.setTimeout).toBe(realTimeout)
    expect(Object.hasOwn(crypto, 'randomUUID')).toBe(false)
    expect(randomUUID()).not.toBe(randomUUID())
    expect(Math.abs(Date.now() - realDate.now())).toBeLessThan(60_000)
  })

  it('kills a node: its calls are lost, its timers stop, its client goes on at another one', async () => {
    let ticks = 0
    const ticking: Plugin = {
      name: 'ticking',
      setup({ clock }) {
        const tick = (): void => {
          ticks += 1
          clock.timer(1000, tick)
        }
        clock.timer(1000, tick)
      },
    }
    await simulate({ nodes: 2, app: () => ({ ...app(), plugins: [ticking] }) }, async (sim) => {
      const client = sim.client()
      const lost = client.call('SLOW').catch((error: unknown) => error)
      await sim.sleep(5000)
      for (const node of sim.nodes) node.kill()
      expect(await lost).toMatchObject({ code: 'connection_lost', outcomeUnknown: true })
      const before = ticks
      expect(before).toBeGreaterThan(5)
      await sim.sleep(5000)
      expect(ticks).toBe(before)
      expect(client.status).not.toBe('open')
      await sim.nodes[1]?.start()
      expect(await client.call('SLOW')).toBe('late')
      expect(sim.nodes.map(({ isUp }) => isUp)).toEqual([false, true])
    })
  })

  it('holds a link until it is released, and cuts one so that an answer may be lost after its call was executed', async () => {
    let executed = 0
    const count = route({ http: 'POST /counts', handler: () => ++executed })
    const outcomes = new Set<string>()
    for (let seed = 1; seed <= 60; seed++)
      await simulate({ seed, app: () => ({ pkgIds: { COUNT: 1 }, routes: { COUNT: count } }) }, async (sim) => {
        const client = sim.client()
        executed = 0
        await client.call('COUNT')
        client.link.hold()
        let isAnswered = false
        const held = client.call('COUNT').finally(() => {
          isAnswered = true
        })
        await sim.sleep(5000)
        expect([isAnswered, executed]).toEqual([false, 1])
        client.link.release()
        expect(await held).toBe(2)
        const wire = sim.random.pick(['call', 'http'] as const)
        const answer = client[wire]('COUNT').then(
          () => 'answered',
          () => 'lost',
        )
        await sim.sleep(sim.random.integer(0, 40))
        client.link.cut()
        const answered = await answer
        await sim.sleep(1000)
        outcomes.add(`${wire}: ${executed === 3 ? 'executed' : 'not executed'}, ${answered}`)
      })
    expect([...outcomes].sort()).toEqual(
      ['call', 'http'].flatMap((wire) => [
        `${wire}: executed, answered`,
        `${wire}: executed, lost`,
        `${wire}: not executed, lost`,
      ]),
    )
  })
})

describe('a schedule fails', () => {
  it('by what it throws, with its seed and the end of its history', async () => {
    const play = simulate({ seed: 77, app }, async (sim) => {
      await sim.client({ name: 'ann' }).call('NOW')
      throw new Error('planted')
    })
    const { message, seed, history, cause } = await failureOf(play)
    expect(message).toContain('The schedule of seed 77 failed: planted')
    expect(message).toContain('TWINWIRE_SIMULATION_SEED=77')
    expect(message).toContain('ann > node 1: {"pkg_id":1,"req_id":"#1"')
    expect([seed, history.length > 5, String(cause)]).toEqual([77, true, 'Error: planted'])
  })

  it('by an invariant, at the moment at which it does not hold any more', async () => {
    let calls = 0
    const count = route({ http: 'POST /counts', handler: () => ++calls })
    const play = simulate({ app: () => ({ pkgIds: { COUNT: 1 }, routes: { COUNT: count } }) }, async (sim) => {
      sim.invariant('at most two calls', () => calls <= 2)
      for (let i = 0; i < 5; i++) await sim.client().call('COUNT')
    })
    expect((await failureOf(play)).message).toContain('The invariant does not hold: at most two calls')
    expect(calls).toBe(3)
  })

  it.each([
    ['a timer throws', () => void setTimeout(() => fail('planted'), 10), 'planted'],
    ['it waits for nothing', () => new Promise<void>(() => {}), 'waits for something that never happens'],
  ])('when %s', async (_, run, message) => {
    const play = simulate({ app, maxMs: 100_000 }, async (sim) => {
      await run()
      await sim.sleep(100)
    })
    expect((await failureOf(play)).message).toContain(message)
  })

  it('when it takes too long by its own clock', async () => {
    const play = simulate({ app, maxMs: 1000 }, (sim) => sim.sleep(5000))
    expect((await failureOf(play)).message).toContain('has not ended after 1000 ms')
  })

  it('when a listener of an event throws', async () => {
    const rung = event({ data: v.object({ n: v.number() }) })
    const ring = route({ http: 'POST /rings', handler: (_input: undefined, call) => call.broadcast(rung, { n: 1 }) })
    const bell = { pkgIds: { RING: 1, RUNG: 2 }, routes: { RING: ring }, events: { RUNG: rung } }
    const play = simulate({ app: () => bell }, async (sim) => {
      const client = sim.client()
      client.on('RUNG', ({ n }) => fail(`a listener of ${n}`))
      await client.call('RING')
      await sim.sleep(1000)
    })
    expect((await failureOf(play)).message).toContain('a listener of 1')
  })

  it('when another one runs', async () => {
    await simulate({ app }, async () => {
      await expect(simulate({ app }, async () => {})).rejects.toThrow('Another simulation runs')
    })
  })
})

describe('runSchedules', () => {
  it('plays each seed once, with what comes before it', async () => {
    const seeds: number[] = []
    let resets = 0
    const before = async (): Promise<void> => {
      resets += 1
    }
    await runSchedules({ runs: 4, seed: 20, app, before }, async (sim) => void seeds.push(sim.seed))
    expect([seeds, resets]).toEqual([[20, 21, 22, 23], 4])
  })

  it('plays the seed of the environment alone', async () => {
    vi.stubEnv('TWINWIRE_SIMULATION_SEED', '31')
    const seeds: number[] = []
    await runSchedules({ runs: 4, app }, async (sim) => void seeds.push(sim.seed))
    await simulate({ app }, async (sim) => void seeds.push(sim.seed))
    expect(seeds).toEqual([31, 31])
    vi.stubEnv('TWINWIRE_SIMULATION_SEED', 'x')
    await expect(runSchedules({ runs: 1, app }, async () => {})).rejects.toThrow('must be an integer')
  })

  it('stops at the first failure, and says whether its seed repeats it', async () => {
    const played: number[] = []
    const play = runSchedules({ runs: 10, app }, async (sim) => {
      played.push(sim.seed)
      if (sim.seed === 3) throw new Error('planted')
    })
    expect((await failureOf(play)).message).toContain('Played again, everything was the same')
    expect(played).toEqual([1, 2, 3, 3])
    let plays = 0
    const unsteady = runSchedules({ runs: 1, app }, async (sim) => {
      plays += 1
      sim.note(`play ${plays}`)
      throw new Error('planted')
    })
    expect((await failureOf(unsteady)).message).toMatch(/went otherwise from line \d+ on[\s\S]*play 1[\s\S]*play 2/)
  })
})

function fail(message: string): never {
  throw new Error(message)
}
