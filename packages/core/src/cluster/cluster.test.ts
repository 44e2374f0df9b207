import process from 'node:process'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { BootError } from '../base/boot-error.ts'
import { formatWorker, joinCluster, parseWorker, type WorkerLink } from '../base/cluster-worker.ts'
import { createApp } from '../index.ts'
import { thrownBy } from '../testing/boot.fixtures.ts'
import { createTestLogger, memoryTransport } from '../testing.ts'
import { checkCluster } from './cluster.ts'
import { fromFailure, toFailure } from './failure.ts'
import { isFromParent, isFromWorker, mark } from './messages.ts'
import { resolveClusterOptions } from './options.ts'

const run = () => {}
const link: WorkerLink = {
  id: 1,
  workers: 2,
  claimPort: async (_app, _host, port) => port,
  listening: () => {},
  provideMetrics: async () => {},
  readMetrics: async () => ({ contentType: 'text/plain', body: Buffer.from('') }),
}

describe('cluster()', () => {
  it('is refused elsewhere than on Linux, and in a worker thread', () => {
    expect(thrownBy(() => checkCluster({ platform: 'darwin', isMainThread: true }))).toMatchObject({
      code: 'unavailable_cluster',
      message:
        'cluster() requires Linux, where processes can share a port (this is darwin): set workers to 1, without endpoint',
    })
    expect(thrownBy(() => checkCluster({ platform: 'linux', isMainThread: false })).code).toBe('unavailable_cluster')
    expect(checkCluster({ platform: 'linux', isMainThread: true })).toBeUndefined()
  })

  it('has defaults', () => {
    expect(resolveClusterOptions({ run, log: createTestLogger() })).toMatchObject({
      entry: process.argv[1],
      args: process.argv.slice(2),
      startTimeoutMs: 60_000,
      drainTimeoutMs: 30_000,
      restart: { delayMs: 200, maxDelayMs: 30_000, stableMs: 10_000, attempts: 5 },
    })
    expect(resolveClusterOptions({ run }).workers).toBeGreaterThan(0)
    expect(resolveClusterOptions({ run, entry: new URL('file:///srv/a%20b.js') }).entry).toBe('/srv/a b.js')
  })

  it.each([
    [{ workers: 0, run }, "cluster(): workers must be an integer from 1 to 1024 or 'auto', received 0"],
    [{}, 'cluster(): run is required: set it to a function'],
    [{ run, entry: 5 }, 'cluster(): entry must be a path, or a URL of a file, received 5'],
    [
      { run, restart: { delayMs: 10, maxDelayMs: 5 } },
      'cluster(): restart.maxDelayMs must be at least restart.delayMs (10)',
    ],
    [{ run, worker: 2 }, "cluster(): worker is not an option. Did you mean 'workers'?"],
  ])('checks %j', (options, message) => {
    expect(thrownBy(() => resolveClusterOptions(Object(options))).message).toContain(message)
  })
})

describe('a worker', () => {
  it('is known by a variable that its parent sets, and that is not valid for other processes', () => {
    const identity = { id: 2, workers: 4 }
    expect(parseWorker(formatWorker(17, identity), 17)).toEqual(identity)
    for (const text of [undefined, '', '17:2', 'x', formatWorker(18, identity)])
      expect(parseWorker(text, 17)).toBeNull()
  })

  it('cannot use a transport that does not share its port', async () => {
    joinCluster(link)
    try {
      const app = createApp({ pkgIds: {}, routes: {}, environment: 'test', transport: memoryTransport() })
      await expect(app.listen({ port: 0 })).rejects.toMatchObject({
        code: 'unavailable_transport',
        message: "The transport 'memory' cannot share a port with other workers: use uws(), or do not call cluster()",
      })
      expect(app.state).toBe('closed')
    } finally {
      joinCluster(null)
    }
  })

  it('has the link that the boot error had in its worker, whatever DOCS_URL is', async () => {
    vi.stubEnv('DOCS_URL', 'https://docs.example')
    onTestFinished(() => void vi.unstubAllEnvs())
    const mail = { name: 'mail', setup: () => Promise.reject(new BootError('wrong_state', 'Not now')) }
    const crossed = async (docs: false | { readonly url: string }) => {
      const app = createApp({ pkgIds: {}, routes: {}, plugins: [mail], log: 'silent', docs })
      return fromFailure(structuredClone(toFailure(await app.ready().catch((error: unknown) => error))))
    }
    expect(await crossed(false)).toMatchObject({ docs: null, message: 'Not now' })
    const linked = await crossed({ url: 'https://own.example' })
    expect(linked).toMatchObject({ docs: 'https://own.example/boot-errors#wrong_state', message: 'Not now' })
    expect(linked.stack).toContain('Not now (https://own.example/boot-errors#wrong_state)')
  })

  it('reports an error as what it is', () => {
    const ours = fromFailure(toFailure(new BootError('ratelimit.unknown_store', 'no such store')))
    expect(ours).toBeInstanceOf(BootError)
    expect(ours).toMatchObject({ code: 'ratelimit.unknown_store', message: 'no such store' })
    const other = new TypeError('broken')
    expect(fromFailure(toFailure(other))).toMatchObject({ message: 'broken', stack: other.stack })
    expect(fromFailure(toFailure('text')).message).toBe('text')
    expect(fromFailure({ code: 'of_a_later_version', message: 'm', stack: 's', docs: null })).not.toBeInstanceOf(
      BootError,
    )
  })

  it('and its parent ignore messages of the application, and of another version', () => {
    for (const message of [null, 'drain', {}, { type: 'drain' }, { mark: 'twinwire.cluster/0', type: 'drain' }])
      expect([isFromParent(message), isFromWorker(message)]).toEqual([false, false])
    expect(isFromParent({ mark, type: 'drain' })).toBe(true)
  })
})
