import process from 'node:process'
import { afterEach, describe, expect, it } from 'vitest'
import { createApp, route } from '../../index.ts'
import { plugin, until } from '../../testing/suite.fixtures.ts'
import { createTestApp, createTestLogger, memoryTransport, onTransports } from '../../testing.ts'

// How a process lives on is seen in one of its own: tests/integration/dropped-promises.test.ts.

const table = { pkgIds: { PING: 1 }, routes: { PING: route({ handler: () => 'pong' }) } }
const listeners = (): number => process.listenerCount('unhandledRejection')
const create = (options: { readonly unhandledRejections?: 'log' | false } = {}) =>
  createApp({ ...table, environment: 'test', log: createTestLogger(), transport: memoryTransport(), ...options })

describe('the listener of unhandled rejections', () => {
  it('is one for all apps that listen, and goes with the last of them', async () => {
    const before = listeners()
    const [one, other] = [create(), create()]
    await one.ready()
    expect(listeners()).toBe(before)
    await one.listen({ port: 0 })
    await other.listen({ port: 0 })
    expect(listeners()).toBe(before + 1)
    await one.close()
    expect(listeners()).toBe(before + 1)
    await other.close()
    expect(listeners()).toBe(before)
  })

  it('goes with an app that could not listen', async () => {
    const before = listeners()
    const transport = Object.assign(memoryTransport(), { listen: () => Promise.reject(new Error('The port is taken')) })
    const app = createApp({ ...table, environment: 'test', log: createTestLogger(), transport })
    await expect(app.listen({ port: 0 })).rejects.toThrow('The port is taken')
    expect(listeners()).toBe(before)
  })

  it('is none with `unhandledRejections: false`', async () => {
    const before = listeners()
    const app = create({ unhandledRejections: false })
    await app.listen({ port: 0 })
    expect(listeners()).toBe(before)
    await app.close()
  })

  it('is off in the test kit, whose runner should report them', async () => {
    // The kit's own, which lets the test fail.
    const before = listeners()
    const { close } = await createTestApp(table, { leftovers: 'allow' })
    expect(listeners()).toBe(before)
    await close()
  })
})

describe('a listener of onState that answers by a promise', () => {
  it('is logged when that fails', async () => {
    const log = createTestLogger()
    const app = createApp({ ...table, environment: 'test', log, transport: memoryTransport() })
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- what is tested
    app.onState(async (state) => Promise.reject(new Error(`not ${state}`)))
    await app.ready()
    await until(() => log.lines.filter(({ level }) => level === 'error').length === 2)
    await app.close()
  })
})

describe('a promise of core that is dropped and fails', () => {
  onTransports({ describe, afterEach }, ({ transport }) => {
    const options = {
      pkgIds: { JOIN: 1 },
      routes: { JOIN: route({ handler: (_input, call) => void call.connection?.join('nowhere') }) },
    } as const

    it('is logged, counted, and fails the test that left it', async () => {
      const { client, logs, app, close } = await createTestApp(options, { transport })
      await (await client()).call('JOIN')
      await until(() => logs.some(({ level }) => level === 'error'))
      expect(logs.filter(({ level }) => level === 'error')).toMatchObject([
        { fields: { promise: 'connection.join', route: 'JOIN', err: { code: 'permission_denied' } } },
      ])
      const family = app.instruments.families().find(({ name }) => name === 'app_unhandled_rejections_total')
      expect(family?.cells.map(({ labels, cell }) => [labels.source, 'value' in cell ? cell.value : null])).toEqual([
        ['core', 1],
        ['application', 0],
      ])
      await expect(close()).rejects.toThrow('Not allowed to join this topic')
    })
  })

  it('of an app that could not start is logged, and the process ends with 1 when it ends', async () => {
    const before = process.exitCode
    const log = createTestLogger()
    const broken = plugin(() => {
      throw new Error('no licence')
    })
    const app = createApp({ ...table, environment: 'test', log, transport: memoryTransport(), plugins: [broken] })
    void app.listen({ port: 0 })
    await until(() => log.lines.some(({ level }) => level === 'error'))
    expect(log.lines.filter(({ level }) => level === 'error')).toMatchObject([{ fields: { promise: 'app.listen' } }])
    expect(process.exitCode).toBe(1)
    process.exitCode = before
  })

  it('is not reported when another caller has handled it: close returns one promise to all callers', async () => {
    const log = createTestLogger()
    const transport = Object.assign(memoryTransport(), { close: () => Promise.reject(new Error('It does not close')) })
    const app = createApp({ ...table, environment: 'test', log, transport })
    void app.close()
    await expect(app.close()).rejects.toThrow('It does not close')
    await new Promise((resolve) => setImmediate(resolve))
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})
