import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { CompiledRoute } from '../call/compiled-route.ts'
import { PkgRouter } from './pkg-router.ts'

// A thousand runs are a second's work, on a busy machine many.
vi.setConfig({ testTimeout: 60_000 })

// What a route is does not matter here: only which one is found.
const named = (name: string): CompiledRoute => ({ info: { name } }) as unknown as CompiledRoute

describe('PkgRouter', () => {
  it('finds what a Map finds, for PkgIDs of every size', () => {
    const pkgId = fc.oneof(
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 4090, max: 4100 }),
      fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    )
    fc.assert(
      fc.property(fc.uniqueArray(pkgId, { maxLength: 20 }), fc.array(pkgId, { maxLength: 20 }), (added, asked) => {
        const router = new PkgRouter()
        const map = new Map(added.map((id) => [id, named(String(id))]))
        for (const [id, route] of map) router.add(id, route)
        for (const id of [...added, ...asked, 0, 4095, 4096, 4097, 2 ** 31 - 1])
          expect(router.find(id)).toBe(map.get(id))
      }),
      { numRuns: 1000 },
    )
  })
})
