// Subscriptions over disturbed networks: what a client receives has no hole, or it was told of a gap. Faults that are planted are found.
import { describe, expect, it, vi } from 'vitest'
import type { Broker } from '../../hub/broker.ts'
import { runSchedules, SimulationFailure, simulate } from '../../testing.ts'
import { chat, chatApp, talk } from './chat.fixtures.ts'

vi.setConfig({ testTimeout: 300_000 })

const runs = Number(process.env.SIMULATION_RUNS ?? 40)

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
    ['a broker that loses a publication without a word', 'and was not told of a gap', losing],
    ['a broker that does not say that it has lost some', 'and was not told of a gap', silent],
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
