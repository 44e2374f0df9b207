import { type BootError, createApp, guard, PermissionDeniedError } from '@twinwire/core'
import { createTestApp, fakeIdentity, onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { type ProfilingOptions, profiling } from './index.ts'

const base = { pkgIds: {}, routes: {} } as const
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

const kept: unknown[] = []
function allocateForTheProfile(): void {
  for (let i = 0; i < 20_000; i++) kept.push({ i, text: `number ${i}`.repeat(8) })
}

describe('profiles', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    const app = (options: Partial<ProfilingOptions> = {}) =>
      start({ ...base, plugins: [profiling({ access: 'public', ...options })] })

    it('of the heap name the code that allocated, and have no values', async () => {
      const { request } = await app()
      const work = setInterval(allocateForTheProfile, 5)
      const answer = await request('GET /profiling/heap?seconds=0.3').finally(() => clearInterval(work))
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
    const cut = fetch(`${url}/heap?seconds=60`, { signal: aborted.signal }).catch((error: unknown) => error)
    await expect.poll(async () => (await fetch(`${url}/heap?seconds=0.1`)).status).toBe(409)
    aborted.abort()
    expect(await cut).toBeInstanceOf(Error)
    await expect.poll(async () => (await fetch(`${url}/heap?seconds=0.1`)).status).toBe(200)
    expect((await fetch(`${url}/heap?seconds=61`)).status).toBe(422)
    expect((await test.request('GET /profiling/cpu')).status).toBe(404)
    await test.close()
  })
})

it('the doctor says who may profile', async () => {
  const app = createApp({
    ...base,
    log: 'fatal',
    environment: 'test',
    plugins: [profiling({ access: { port: 9400 } })],
  })
  const { findings } = await app.doctor()
  const message = '/profiling is served on the separate port 127.0.0.1:9400'
  expect(findings.find(({ check }) => check === 'profiling')).toMatchObject({ level: 'ok', message })
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
