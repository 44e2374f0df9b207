import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { readScrape } from '@twinwire/plugin-metrics/testing'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startLoad } from '../support/cluster-load.ts'
import { type ClusterProcess, isAlive, serving, startCluster } from '../support/cluster-process.ts'

// Each connection is new, so that the system selects a worker for it.
const get = async (port: number, path: string): Promise<Record<string, unknown>> => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
  return Object(await response.json())
}

/** Connects until each of the processes has answered. */
async function reach(port: number, wanted: (pids: ReadonlySet<number>) => boolean): Promise<ReadonlySet<number>> {
  const pids = new Set<number>()
  while (!wanted(pids)) pids.add(Number((await get(port, '/who')).pid))
  return pids
}

const starts = ({ lines }: ClusterProcess): number[] =>
  lines.filter(({ msg }) => msg === 'Worker starts').map(({ pid }) => Number(pid))

describe.skipIf(process.platform !== 'linux')('a cluster', () => {
  it('shares one port, replaces a worker that is killed, and drains on SIGTERM', async () => {
    const cluster = startCluster()
    const port = await serving(cluster)
    const before = await reach(port, ({ size }) => size === 2)
    const [killed = 0, other = 0] = before
    expect([...before].sort()).toEqual(starts(cluster).sort())

    process.kill(killed, 'SIGKILL')
    await cluster.line(({ pid, signal }) => pid === killed && signal === 'SIGKILL')
    const fresh = await cluster.line(({ msg, pid }) => msg === 'Worker starts' && pid !== killed && pid !== other)
    await reach(port, (pids) => pids.has(Number(fresh.pid)) && pids.has(other))
    // The one that replaces it has its id, and says so in its lines.
    const died = cluster.lines.find(({ pid, signal }) => pid === killed && signal !== undefined)
    expect(fresh.worker).toBe(died?.worker)
    // A line may arrive after the first answer.
    const listened = (): number[] =>
      cluster.lines.flatMap(({ msg, worker }) => (msg === 'Listening' ? [Number(worker)] : [])).sort()
    await expect.poll(listened).toEqual([1, 2, Number(died?.worker)].sort())

    const running = [1, 2, 3, 4].map((n) => get(port, `/work/300/last-${n}`))
    for (const n of [1, 2, 3, 4]) await cluster.line(({ accepted }) => accepted === `last-${n}`)
    cluster.kill('SIGTERM')
    expect(await Promise.all(running)).toEqual([1, 2, 3, 4].map((n) => ({ name: `last-${n}` })))
    expect(await cluster.ended).toEqual({ code: 0, signal: null })
    expect(starts(cluster).filter(isAlive)).toEqual([])
  })

  it('replaces its workers on SIGHUP without losing an accepted call, and closes with 1012', async () => {
    const cluster = startCluster()
    const load = startLoad(await serving(cluster))
    const old = starts(cluster)
    await load.answered(200)
    cluster.kill('SIGHUP')
    await Promise.all(old.map((each) => cluster.line(({ msg, pid }) => msg === 'Worker has ended' && pid === each)))
    await load.answered(200)
    const { answered, closes, failed } = await load.stop()
    const accepted = cluster.lines.flatMap((line) => (typeof line.accepted === 'string' ? [line.accepted] : []))
    expect(accepted.length).toBeGreaterThan(400)
    expect(accepted.filter((name) => !answered.has(name))).toEqual([])
    expect(new Set(closes)).toEqual(new Set([1012]))
    expect(starts(cluster)).toHaveLength(4)
    // The rest was answered with `unavailable`, or reset before it was accepted: docs_site/cluster.md.
    const broken = failed.filter((reason) => reason instanceof Error)
    if (readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim() === '1') expect(broken).toEqual([])
    else expect(broken.length).toBeLessThan(accepted.length / 50)
    cluster.kill('SIGTERM')
    expect(await cluster.ended).toEqual({ code: 0, signal: null })
  })

  it('keeps the old workers when new ones do not start, and ends with 1 when none serves any more', async () => {
    const broken = join(tmpdir(), randomUUID())
    onTestFinished(() => rmSync(broken, { force: true }))
    const cluster = startCluster({ BROKEN: broken, RESTART: '{"delayMs":10,"attempts":3}' })
    const port = await serving(cluster)
    const old = starts(cluster)
    writeFileSync(broken, '')
    cluster.kill('SIGHUP')
    await cluster.line(({ msg }) => msg === 'Worker failed to start')
    await reach(port, (pids) => old.every((pid) => pids.has(pid)))
    for (const pid of old) process.kill(pid, 'SIGKILL')
    expect(await cluster.ended).toEqual({ code: 1, signal: null })
    expect(cluster.output()).toContain('No worker serves, and 3 starts in a row have failed')
    expect(starts(cluster).filter(isAlive)).toEqual([])
  })

  it('does not leave workers behind when its parent is killed', async () => {
    const cluster = startCluster()
    const port = await serving(cluster)
    const workers = starts(cluster)
    const running = get(port, '/work/200/orphan')
    await cluster.line(({ accepted }) => accepted === 'orphan')
    cluster.kill('SIGKILL')
    expect(await running).toEqual({ name: 'orphan' })
    await expect.poll(() => workers.filter(isAlive)).toEqual([])
  })

  it('does not leave a worker behind that was only starting when its parent was killed', async () => {
    const cluster = startCluster()
    await cluster.line(({ msg }) => msg === 'Worker starts')
    cluster.kill('SIGKILL')
    // When all that write to its output have ended, which is a moment before the system has removed them.
    await cluster.ended
    await expect.poll(() => starts(cluster).filter(isAlive)).toEqual([])
  })

  it('ends with the message of its first worker, when that cannot start', async () => {
    const server = createServer().listen({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    onTestFinished(() => void server.close())
    const taken = Number(Object(server.address()).port)
    const [inUse, dead] = [startCluster({ PORT: String(taken) }), startCluster({ BROKEN: process.execPath })]
    expect(await inUse.ended).toEqual({ code: 1, signal: null })
    expect(inUse.output()).toContain(`BootError: Port ${taken} of 127.0.0.1 is already in use`)
    expect(await dead.ended).toEqual({ code: 1, signal: null })
    expect(dead.output()).toContain('BootError: Worker 1 ended with exit code 7 before it listened')
    expect(starts(inUse)).toHaveLength(1)
  })

  it('has one health and one page of metrics, on a port of the parent and wherever the app serves them [defect 30]', async () => {
    const blocked = join(tmpdir(), randomUUID())
    onTestFinished(() => rmSync(blocked, { force: true }))
    const cluster = startCluster({ METRICS_HOST: '127.0.0.2', BLOCKED: blocked })
    const port = await serving(cluster)
    const { url } = await cluster.line(({ msg }) => msg === 'The parent serves the health of the cluster')
    const pages = cluster.lines.filter(({ msg }) => msg === 'The parent serves the metrics of the cluster')
    expect(pages.map((line) => new URL(String(line.url)).pathname)).toEqual(['/metrics', '/metrics'])
    const scrape = async (at: unknown = pages[0]?.url) => readScrape(await (await fetch(String(at))).text())
    const health = async (path = '/health') => {
      const response = await fetch(`${url}${path}`)
      return { status: response.status, body: await response.json() }
    }
    const healthy = { status: 'healthy', websocket: { status: 'healthy', active_connections: 0 } }
    expect(await health()).toEqual({
      status: 200,
      body: { status: 'healthy', healthy_workers: 2, workers: { 1: healthy, 2: healthy } },
    })
    expect(await health('/health/live')).toEqual({ status: 200, body: { status: 'healthy' } })
    expect((await fetch(`${url}/other`)).status).toBe(404)
    expect((await fetch(`${url}/health`, { method: 'POST' })).status).toBe(405)

    // Counters and histograms are sums, also after a worker has ended.
    const who = { method: 'GET', endpoint: '/who', status_code: '200' }
    const before = await reach(port, ({ size }) => size === 2)
    const calls = Number((await scrape()).value('http_requests_total', who))
    expect(calls).toBeGreaterThanOrEqual(2)
    for (const { url } of pages) {
      const page = await scrape(url)
      expect(page.value('http_request_duration_seconds_count', { endpoint: '/who' })).toBe(calls)
      expect(page.value('app_info')).toBe(1)
      expect(page.value('cluster_workers_serving')).toBe(2)
      expect(page.value('cluster_worker_starts_total')).toBe(2)
      expect(page.value('process_start_time_seconds')).toBeGreaterThan(Date.now() / 1000 - 600)
    }
    const [drained = 0, killed = 0] = before
    cluster.kill('SIGHUP')
    for (const each of before) await cluster.line(({ msg, pid }) => msg === 'Worker has ended' && pid === each)
    expect([drained, killed].filter(isAlive)).toEqual([])
    expect((await scrape()).value('http_requests_total', who)).toBe(calls)

    // One that does not answer is left out; what it had counted is not.
    writeFileSync(blocked, '')
    const stuck = get(port, '/block')
    await expect
      .poll(async () => (await scrape()).value('cluster_unanswered_reports_total', { report: 'metrics' }))
      .toBeGreaterThan(0)
    const page = await scrape()
    expect(page.value('http_requests_total', who)).toBe(calls)
    expect(await health()).toMatchObject({ status: 200, body: { healthy_workers: 1 } })
    rmSync(blocked)
    expect(await stuck).toEqual({})
    expect(await health('/health/ready')).toEqual({ status: 200, body: { status: 'healthy' } })
    cluster.kill('SIGTERM')
    expect(await cluster.ended).toEqual({ code: 0, signal: null })
  })

  it('has the metrics of all workers on the port of the app, too', async () => {
    const cluster = startCluster()
    const port = await serving(cluster)
    await reach(port, ({ size }) => size === 2)
    const pages = await Promise.all(
      Array.from({ length: 10 }, async () =>
        readScrape(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()),
      ),
    )
    const who = { method: 'GET', endpoint: '/who', status_code: '200' }
    const calls = pages.map((page) => page.value('http_requests_total', who))
    expect(new Set(calls).size).toBe(1)
    expect(calls[0]).toBeGreaterThanOrEqual(2)
  })

  it.each([
    [
      'broker',
      'The broker is memory, which reaches the connections of one process, and this is one of 2 workers: pass',
    ],
    [
      'database',
      'An embedded database works in one process only, and this is a worker of a cluster: set url to postgres://',
    ],
    [
      'limits',
      'rateLimit() with a store in memory works in one process only, and this is a worker of a cluster: set store',
    ],
    [
      'issuer',
      'An issuer inside the process works in one process only, and this is a worker of a cluster: use one that',
    ],
  ])('does not start with a part that works in one process only: %s', async (part, message) => {
    const cluster = startCluster({ PART: part, METRICS_HOST: '127.0.0.2' })
    expect(await cluster.ended).toEqual({ code: 1, signal: null })
    expect(cluster.output()).toContain(`BootError: ${message}`)
  })

  it('of one worker runs in this process', async () => {
    const cluster = startCluster({ WORKERS: '1' })
    const { url, worker } = await cluster.line(({ msg }) => msg === 'Listening')
    expect(await get(Number(new URL(String(url)).port), '/who')).toMatchObject({ pid: cluster.pid })
    expect(worker).toBeUndefined()
  })
})
