import { describe, expect, it } from 'vitest'
import { route } from '../../index.ts'
import { type ServiceConnection, type SimulatedProcess, simulate } from '../../testing.ts'

/** A service that counts, and an app whose call asks it: what both have learned is in `seen`. */
function counter() {
  const seen: string[] = []
  let count = 0
  const connections: ServiceConnection[] = []
  const app = (process: SimulatedProcess) => {
    let isLost = false
    const waiting = new Set<(answer: string) => void>()
    const connection = process.connect('counter', {
      closedAtService: () => void seen.push(`the service has lost ${process.node}`),
      closedAtProcess: () => {
        seen.push(`${process.node} has lost the service`)
        isLost = true
        for (const resolve of waiting) resolve('lost')
      },
    })
    connections.push(connection)
    const ask = (): Promise<string> =>
      new Promise((resolve) => {
        waiting.add(resolve)
        if (isLost) resolve('lost')
        connection.toService('add', () => {
          count += 1
          const answer = `${count}`
          connection.toProcess(answer, () => resolve(answer))
        })
      })
    return { pkgIds: { ADD: 1 }, routes: { ADD: route({ http: 'POST /add', handler: ask }) } } as const
  }
  return { app, seen, connections, count: () => count }
}

describe('a service that the application simulates', () => {
  it('is reached late, and both directions are in the history', async () => {
    const { app, count } = counter()
    const { history } = await simulate({ app }, async (sim) => {
      const before = Date.now()
      expect(await sim.client().call('ADD')).toBe('1')
      expect(Date.now()).toBeGreaterThan(before)
    })
    expect(count()).toBe(1)
    const lines = history.map((line) => line.trim().replace(/^\S+ /, '')).filter((line) => line.includes('counter'))
    expect(lines).toEqual(['node 1 > counter: add', 'node 1 < counter: 1'])
  })

  it('is lost by a cut, before it has done something or before it has answered: both happen', async () => {
    const outcomes = new Set<string>()
    for (let seed = 1; outcomes.size < 2 && seed < 100; seed++) {
      const { app, seen, count } = counter()
      await simulate({ app, seed }, async (sim) => {
        const call = sim.client().call('ADD')
        await sim.sleep(sim.random.integer(20, 60))
        sim.nodes[0]?.services.cut()
        const answer = await call
        await sim.sleep(1000)
        if (answer === 'lost') outcomes.add(`lost, ${count()} done`)
        expect([...seen].sort()).toEqual(['node 1 has lost the service', 'the service has lost node 1'])
      })
    }
    expect([...outcomes].sort()).toEqual(['lost, 0 done', 'lost, 1 done'])
  })

  it('learns of a process that is killed, which learns of nothing', async () => {
    const { app, seen, connections } = counter()
    await simulate({ app, nodes: 2 }, async (sim) => {
      sim.nodes[0]?.kill()
      await sim.sleep(100)
      expect(seen).toEqual(['the service has lost node 1'])
      connections[0]?.toProcess('too late', () => void seen.push('too late'))
      connections[0]?.close()
      connections[1]?.close()
      await sim.sleep(100)
    })
    expect(seen).toEqual(['the service has lost node 1', 'the service has lost node 2'])
  })

  it('is disturbed by the fault `service`, which is among the faults where a process has connected to one', async () => {
    const faults = async (disturb: { readonly kinds?: readonly ['service'] }) => {
      const { app } = counter()
      const { history } = await simulate({ app, nodes: 2, seed: 4 }, async (sim) => {
        sim.disturb({ everyMs: 100, ...disturb })
        await sim.sleep(20_000)
        await sim.calm()
        expect(sim.nodes.map(({ services }) => services.isHeld)).toEqual([false, false])
      })
      return history.filter((line) => /loses its connections to services|does not reach services|is killed/.test(line))
    }
    for (const disturb of [{}, { kinds: ['service'] as const }]) {
      const found = (await faults(disturb)).join('\n')
      expect(found).toContain('does not reach services')
      expect(found.includes('is killed')).toBe(disturb.kinds === undefined)
    }
  })

  it('starts a process again that could not start because of another fault', async () => {
    let isDown = false
    const { app } = counter()
    const { history } = await simulate(
      {
        nodes: 2,
        app: (process) => ({
          ...app(process),
          plugins: [
            {
              name: 'picky',
              setup() {
                if (isDown) throw new Error('the service is down')
              },
            },
          ],
        }),
      },
      async (sim) => {
        isDown = true
        sim.disturb({ everyMs: 200, kinds: ['kill'] })
        await sim.sleep(60_000)
        isDown = false
        await sim.calm()
        expect(sim.nodes.map(({ isUp }) => isUp)).toEqual([true, true])
      },
    )
    expect(history.filter((line) => line.includes('does not start')).length).toBeGreaterThan(1)
  })
})
