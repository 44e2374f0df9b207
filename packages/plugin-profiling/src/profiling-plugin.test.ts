import { type BootError, createApp, guard, PermissionDeniedError } from '@twinwire/core'
import { createTestApp, fakeIdentity, onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type ProfilingOptions, profiling } from './index.ts'

const base = { pkgIds: {}, routes: {} } as const
const CpuProfile = v.object({
  nodes: v.pipe(v.array(v.object({ callFrame: v.object({ functionName: v.string() }) })), v.minLength(1)),
  samples: v.array(v.number()),
  startTime: v.number(),
  endTime: v.number(),
})
interface HeapNode {
  readonly callFrame: { readonly functionName: string }
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}
const HeapNode: v.GenericSchema<HeapNode> = v.object({
  callFrame: v.object({ functionName: v.string() }),
  selfSize: v.number(),
  children: v.lazy(() => v.array(HeapNode)),
})
const HeapProfile = v.object({ head: HeapNode })

function burnForTheProfile(untilMs: number): number {
  let sum = 0
  while (performance.now() < untilMs) sum += Math.sqrt(sum + 1)
  return sum
}

const kept: unknown[] = []
function allocateForTheProfile(): void {
  for (let i = 0; i < 20_000; i++) kept.push({ i, text: `number ${i}`.repeat(8) })
}

/** Runs `work` again and again, until a profile is there. */
async function during<T>(profile: Promise<T>, work: () => void): Promise<T> {
  const timer = setInterval(work, 5)
  try {
    return await profile
  } finally {
    clearInterval(timer)
  }
}

describe('profiles', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const app = (options: Partial<ProfilingOptions> = {}) =>
      start({ ...base, plugins: [profiling({ access: 'public', ...options })] })

    it('of the CPU name the code that ran', async () => {
      const { request } = await app()
      const answer = await during(request('GET /profiling/cpu?seconds=0.5'), () =>
        burnForTheProfile(performance.now() + 20),
      )
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
      expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="\d+-\d{8}T\d{6}Z\.cpuprofile"$/)
      const profile = v.parse(CpuProfile, answer.json())
      expect(profile.nodes.map(({ callFrame }) => callFrame.functionName)).toContain('burnForTheProfile')
      expect(profile.samples.length).toBeGreaterThan(10)
    })

    it('of the heap name the code that allocated, and have no values', async () => {
      const { request } = await app()
      const answer = await during(request('GET /profiling/heap?seconds=0.3'), allocateForTheProfile)
      kept.length = 0
      const { head } = v.parse(HeapProfile, answer.json())
      const names: string[] = []
      const visit = (node: HeapNode): void => {
        names.push(node.callFrame.functionName)
        for (const child of node.children) visit(child)
      }
      visit(head)
      expect(names).toContain('allocateForTheProfile')
      expect(answer.text).not.toContain('number 19')
    })

    it('are taken one at a time', async () => {
      const { request } = await app()
      const first = request('GET /profiling/cpu?seconds=0.5')
      await expect
        .poll(async () => (await request('GET /profiling/heap?seconds=0.1')).json())
        .toMatchObject({
          error: { code: 'conflict', msg: 'A cpu profile is being taken: ask again when it has ended' },
        })
      expect((await first).status).toBe(200)
      expect((await request('GET /profiling/heap?seconds=0.1')).status).toBe(200)
    })

    it('end with the drain, and the next app may take one', async () => {
      const { app: closing, request } = await start({
        ...base,
        drainTimeoutMs: 200,
        drainSpreadMs: 0,
        plugins: [profiling({ access: 'public' })],
      })
      const answer = request('GET /profiling/cpu?seconds=60')
      await expect.poll(async () => (await request('GET /profiling/cpu?seconds=0.1')).status).toBe(409)
      await closing.close()
      expect((await answer).status).toBe(503)
      const next = await app()
      expect((await next.request('GET /profiling/cpu?seconds=0.1')).status).toBe(200)
    })

    it.each(['0', '61', 'long', '-1', '10&x=1'])('are not taken for %s seconds', async (seconds) => {
      const { request } = await app()
      expect((await request(`GET /profiling/cpu?seconds=${seconds}`)).status).toBe(422)
    })

    it('are as long as the option allows, and at the path of the option', async () => {
      const { request } = await app({ maxSeconds: 1, path: '/internal/profiles' })
      expect((await request('GET /internal/profiles/cpu?seconds=2')).status).toBe(422)
      expect((await request('GET /profiling/cpu')).status).toBe(404)
    })

    it('are for those whom the access names [defect 6]', async () => {
      const admins = guard({
        name: 'admins',
        identity: 'required',
        run: ({ identity }) => {
          if (identity?.id !== 'admin') throw new PermissionDeniedError()
        },
      })
      const plugins = [fakeIdentity(), profiling({ access: { use: [admins] } })]
      const { request } = await start({ ...base, plugins })
      const as = async (id?: string) =>
        (
          await request('GET /profiling/heap?seconds=0.1', {
            headers: id === undefined ? {} : { authorization: `Bearer ${id}` },
          })
        ).status
      expect([await as(), await as('ann'), await as('admin')]).toEqual([401, 403, 200])
    })
  })
})

describe('a client that disconnects', () => {
  it('ends its profile', async () => {
    const test = await createTestApp({ ...base, plugins: [profiling({ access: { port: 0 } })] })
    const url = String(test.logs.find(({ message }) => message === 'Serving profiles')?.fields.url)
    const aborted = new AbortController()
    const cut = fetch(`${url}/cpu?seconds=60`, { signal: aborted.signal }).catch((error: unknown) => error)
    await expect.poll(async () => (await fetch(`${url}/cpu?seconds=0.1`)).status).toBe(409)
    aborted.abort()
    expect(await cut).toBeInstanceOf(Error)
    await expect.poll(async () => (await fetch(`${url}/cpu?seconds=0.1`)).status).toBe(200)
    expect((await fetch(`${url}/heap?seconds=61`)).status).toBe(422)
    expect((await test.request('GET /profiling/cpu')).status).toBe(404)
    await test.close()
  })
})

describe('at boot', () => {
  const boot = (options: ProfilingOptions, environment: 'test' | 'production' = 'test'): Promise<unknown> => {
    const app = createApp({
      ...base,
      log: 'fatal',
      environment,
      defaultAccess: 'public',
      http: { hosts: ['*'] },
      plugins: [profiling(options)],
    })
    return app.ready().then(
      () => app.close(),
      (error: BootError) => error,
    )
  }

  it('the access must be said, in every environment [defect 6]', async () => {
    expect(await boot({} as ProfilingOptions)).toMatchObject({
      code: 'bad_option',
      message: expect.stringContaining('access must say who may profile'),
    })
    expect(await boot({ access: 'public' })).toBeUndefined()
    expect(await boot({ access: 'public' }, 'production')).toMatchObject({ code: 'bad_option' })
  })

  it('an unknown option is refused', async () => {
    expect(await boot({ access: 'public', maxSeconds: 61 })).toMatchObject({ code: 'bad_option' })
    expect(await boot({ access: 'public', snapshots: true } as ProfilingOptions)).toMatchObject({
      code: 'unknown_option',
    })
  })
})
