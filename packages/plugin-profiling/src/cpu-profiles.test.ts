// The end of a CPU profile also ends the coverage that V8 counts, so these tests have a process of their own.
import { onTransports } from '@twinwire/core/testing'
import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { profiling } from './index.ts'

const base = { pkgIds: {}, routes: {}, plugins: [profiling({ access: 'public' })] }
const CpuProfile = v.object({
  nodes: v.pipe(v.array(v.object({ callFrame: v.object({ functionName: v.string() }) })), v.minLength(1)),
  samples: v.array(v.number()),
  startTime: v.number(),
  endTime: v.number(),
})

function burnForTheProfile(untilMs: number): number {
  let sum = 0
  while (performance.now() < untilMs) sum += Math.sqrt(sum + 1)
  return sum
}

describe('profiles', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('of the CPU name the code that ran', async () => {
      const { request } = await start(base)
      const work = setInterval(() => burnForTheProfile(performance.now() + 20), 5)
      const answer = await request('GET /profiling/cpu?seconds=0.5').finally(() => clearInterval(work))
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' })
      expect(answer.headers['content-disposition']).toMatch(/^attachment; filename="\d+-\d{8}T\d{6}Z\.cpuprofile"$/)
      const profile = v.parse(CpuProfile, answer.json())
      expect(profile.nodes.map(({ callFrame }) => callFrame.functionName)).toContain('burnForTheProfile')
      expect(profile.samples.length).toBeGreaterThan(10)
    })

    it('are taken one at a time', async () => {
      const { request } = await start(base)
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
      })
      const answer = request('GET /profiling/cpu?seconds=60')
      await expect.poll(async () => (await request('GET /profiling/cpu?seconds=0.1')).status).toBe(409)
      await closing.close()
      expect((await answer).status).toBe(503)
      const next = await start(base)
      expect((await next.request('GET /profiling/cpu?seconds=0.1')).status).toBe(200)
    })
  })
})
