import fc from 'fast-check'
import { expect, it } from 'vitest'
import { staticFiles } from '../../index.ts'
import { createTestApp } from '../../testing.ts'
import { createFolder } from './file-answers.fixtures.ts'
import { createOracle, explain, requestOf, size, toAnswer } from './send-oracle.fixtures.ts'

/** `SEND_RUNS=20000` for more requests. */
const numRuns = Number(process.env.SEND_RUNS ?? 1000)

it('conditional and range requests are answered as send answers them on the server of Node, or for a reason not', async () => {
  const root = await createFolder({ 'file.txt': Array.from({ length: size }, (_, i) => i % 10).join('') })
  const app = await createTestApp({
    pkgIds: {},
    routes: {},
    endpoints: [staticFiles({ root, prefix: '/', access: 'public' })],
  })
  const { headers } = await app.request('GET /file.txt')
  const etag = headers.etag ?? ''
  const oracle = await createOracle(root, () => etag)
  const counts: Record<string, number> = {}
  const count = (name: string): void => {
    counts[name] = (counts[name] ?? 0) + 1
  }
  try {
    await fc.assert(
      fc.asyncProperty(requestOf(etag), async (asked) => {
        const ours = await app.request(`${asked.method} /file.txt`, { headers: asked.headers })
        const theirs = await oracle.ask(asked.method, asked.headers)
        const mine = toAnswer(ours.status, ours.headers, ours.text)
        const isEqual = JSON.stringify(mine) === JSON.stringify(theirs)
        const why = explain(asked.method, asked.headers, etag)
        if (isEqual) count(`alike, ${mine.status}`)
        else if (why !== null) count(why)
        else expect(mine).toEqual(theirs)
      }),
      { numRuns, seed: 17 },
    )
  } finally {
    await oracle.close()
    await app.close()
  }
  if (process.env.SEND_RUNS !== undefined) console.log(counts)
  // Each status was seen, and what was not explained by a class was alike.
  for (const status of [200, 206, 304, 412, 416]) expect(counts[`alike, ${status}`]).toBeGreaterThan(0)
}, 120_000)
