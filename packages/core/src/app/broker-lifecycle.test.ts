import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { brokerOf } from '../hub/broker.fixtures.ts'
import { BootError, createApp, event } from '../index.ts'
import { boot } from '../testing/boot.fixtures.ts'
import { plugin } from '../testing/suite.fixtures.ts'
import { createTestLogger, memoryTransport } from '../testing.ts'

const tick = event({ data: v.object({ n: v.number() }) })
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function create(broker: Parameters<typeof brokerOf>[0], plugins: readonly ReturnType<typeof plugin>[] = []) {
  const log = createTestLogger()
  const app = createApp({
    pkgIds: { TICK: 1 },
    routes: {},
    events: { TICK: tick },
    topics: { news: { authorize: () => true, history: { size: 5, ttl: 1000 } } },
    environment: 'test',
    transport: memoryTransport(),
    log,
    broker: brokerOf(broker),
    plugins,
  })
  closers.push(() => app.close())
  return { app, log }
}

describe('the broker of an app', () => {
  it('starts after the plugins are set up, before they are ready, and closes after them', async () => {
    const steps: string[] = []
    const step = (name: string) => async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve))
      steps.push(name)
    }
    const { app } = create({ start: step('start'), close: step('close') }, [
      plugin((host) => {
        steps.push('setup')
        host.onReady(step('ready'))
        host.onClose(step('onClose'))
      }),
    ])
    expect(steps).toEqual([])
    await app.ready()
    await app.close()
    expect(steps).toEqual(['setup', 'start', 'ready', 'onClose', 'close'])
  })

  it('fails the boot with one sentence and its error as the cause, and is closed', async () => {
    let closed = 0
    const cause = new Error('connect ECONNREFUSED')
    const error = await boot({
      broker: brokerOf({ start: () => Promise.reject(cause), close: () => void closed++ }),
    })
    expect(error).toMatchObject({
      code: 'unavailable_broker',
      message: "The broker 'test' did not start: connect ECONNREFUSED",
      cause,
    })
    expect(closed).toBe(1)
  })

  it('fails the boot with its own BootError, or when it does not send what is published to all', async () => {
    const own = new BootError('redis.bad_url', 'redisBroker(): url must be …')
    expect(await boot({ broker: brokerOf({ start: () => Promise.reject(own) }) })).toBe(own)
    const refusing = brokerOf({ subscribe: () => Promise.reject(new Error('no Redis')) })
    expect((await boot({ broker: refusing })).message).toBe(
      "The broker 'test' did not start: The topic cannot be joined now: the broker does not answer",
    )
  })

  it('is closed when the boot fails later', async () => {
    let closed = 0
    const { app } = create({ close: () => void closed++ }, [
      plugin((host) => {
        host.onReady(() => {
          throw new Error('not ready')
        })
      }),
    ])
    await expect(app.ready()).rejects.toThrow('not ready')
    expect(closed).toBe(1)
  })

  it('takes no publication before it has started', async () => {
    const { app } = create({})
    expect(() => app.hub.publish('news', tick, { n: 1 })).toThrow(
      'The app has not started: await app.ready() before publishing',
    )
    await app.ready()
    expect(app.hub.publish('news', tick, { n: 1 })).toBe(undefined)
  })

  it('gets the history that the topic declares', async () => {
    const asked: unknown[] = []
    const { app } = create({
      publish: (publication, history, key) => {
        asked.push(publication.audience.kind, history, key)
        return null
      },
    })
    await app.ready()
    void app.hub.publish('news', tick, { n: 1 })
    void app.hub.broadcast(tick, { n: 1 })
    expect(asked).toEqual(['topic', { size: 5, ttlMs: 1000 }, null, 'all', undefined, null])
  })

  it('answers app.hub with a promise where it answers with one; each failure is counted once, and may be dropped', async () => {
    let fails = false
    const { app, log } = create({
      publish: async () => {
        if (fails) throw new Error('no Redis')
        return null
      },
    })
    await app.ready()
    expect(await app.hub.publish('news', tick, { n: 1 })).toBe(undefined)
    fails = true
    await expect(app.hub.publish('news', tick, { n: 1 })).rejects.toThrow('no Redis')
    await expect(app.hub.broadcast(tick, { n: 1 })).rejects.toThrow('no Redis')
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
    const family = app.instruments.families().find(({ name }) => name === 'ws_broadcast_errors_total')
    const cell = family?.cells[0]?.cell
    expect(cell !== undefined && 'value' in cell ? cell.value : undefined).toBe(2)
  })
})
