import type { AppManifest, ManifestRoute as RouteOfApp } from '@twinwire/core'
import { expectTypeOf, it } from 'vitest'
import type { Manifest, ManifestRoute } from './manifest.ts'

it('what app.manifest() returns is what a client takes', () => {
  expectTypeOf<AppManifest>().toExtend<Manifest>()
  expectTypeOf<keyof AppManifest>().toEqualTypeOf<keyof Manifest>()
  expectTypeOf<keyof RouteOfApp>().toExtend<keyof ManifestRoute>()
})

it('a manifest that is imported as JSON fits, whose strings have no literal types', () => {
  const imported = {
    version: 1,
    path: '/ws',
    maxMessageBytes: 1024,
    routes: { A: { pkgId: 1, http: 'GET /a', reply: 'page' }, B: { http: 'PUT /b', query: ['c'] } },
    events: { C: { pkgId: 2 } },
    closes: [
      { code: 1008, reason: 'x', reconnect: 'later' },
      { code: 1000, reconnect: 'no' },
    ],
  }
  expectTypeOf(imported).toExtend<Manifest>()
})
