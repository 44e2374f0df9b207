import { afterEach, describe, expect, it } from 'vitest'
import type { CallOutcome } from '../plugin/host.ts'
import type { Plugin } from '../plugin/plugin.ts'
import { route } from '../router/route.ts'
import { onTransports } from '../testing/on-transports.ts'

onTransports({ describe, afterEach }, ({ start }) => {
  it('an onReply hook reads headers and address after the answer, of a call that ended within its callback too', async () => {
    const seen: { path: string | null; agent: string | undefined; address: string; outcome: CallOutcome }[] = []
    const audit: Plugin = {
      name: 'audit',
      setup: (host) => {
        host.onReply(({ route: { path }, headers, address }, outcome) => {
          seen.push({ path, agent: headers['user-agent'], address, outcome })
        })
      },
    }
    const now = route({ http: 'GET /now', handler: () => 1 })
    const later = route({ http: 'GET /later', handler: async () => 2 })
    const { request } = await start({ pkgIds: {}, routes: {}, endpoints: [now, later], plugins: [audit] })
    for (const path of ['/now', '/later', '/nowhere']) {
      await request(`GET ${path}`, { headers: { 'user-agent': `reader of ${path}` } })
    }
    expect(seen.map(({ path, agent, outcome }) => [path, agent, outcome.httpStatus])).toEqual([
      ['/now', 'reader of /now', 200],
      ['/later', 'reader of /later', 200],
      [null, 'reader of /nowhere', 404],
    ])
    expect(seen.every(({ address }) => address === '127.0.0.1')).toBe(true)
  })
})
