import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout } from 'node:timers/promises'
import * as v from 'valibot'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { route } from '../route/route.ts'
import { onTransports } from '../testing/on-transports.ts'
import { currentCall } from './current-call.ts'

const deepDown = async (): Promise<string | null> => {
  await setTimeout(1)
  return currentCall()?.id ?? null
}
const who = route({
  http: 'POST /who',
  input: v.object({ pad: v.optional(v.string()) }),
  handler: async (_input, call) => ({ mine: call.id, current: await deepDown() }),
})
const base = { pkgIds: { WHO: 1 }, routes: { WHO: who } } as const

afterEach(() => {
  vi.restoreAllMocks()
})

onTransports({ describe, afterEach }, ({ start }) => {
  test('code below a call finds it, each its own', async () => {
    const app = await start({ ...base, asyncContext: true })
    const client = await app.client()
    const calls = Array.from({ length: 20 }, () => client.call('WHO', {}))
    // A body that comes in pieces is read by native callbacks, which know of no context.
    const requests = ['', 'x'.repeat(200_000)].map(async (pad) =>
      (await app.request('POST /who', { json: { pad } })).json(),
    )
    const answers = [...(await Promise.all(calls)), ...(await Promise.all(requests))] as {
      mine: string
      current: string
    }[]
    for (const { mine, current } of answers) expect(current).toBe(mine)
    expect(new Set(answers.map(({ mine }) => mine)).size).toBe(22)
    expect(currentCall()).toBeNull()
  })

  test('off, there is none, and nothing of it is used', async () => {
    const run = vi.spyOn(AsyncLocalStorage.prototype, 'run')
    const bind = vi.spyOn(AsyncLocalStorage, 'bind')
    const app = await start(base)
    expect(await (await app.client()).call('WHO', {})).toMatchObject({ current: null })
    expect((await app.request('POST /who', { json: {} })).json()).toMatchObject({ current: null })
    expect(run).not.toHaveBeenCalled()
    expect(bind).not.toHaveBeenCalled()
  })
})
