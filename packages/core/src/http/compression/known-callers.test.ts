import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fromFetch, guard, route, staticFiles } from '../../index.ts'
import { definePlugin, pluginKey } from '../../plugin.ts'
import { fakeIdentity, onTransports } from '../../testing.ts'
import { accepts, longText } from './compression.fixtures.ts'

/** As `optionalUser()` of a plugin: the handler knows the caller, if there is one. */
const optional = () =>
  guard({ name: 'optional', identity: 'optional', run: ({ identity }) => ({ user: identity?.name }) })
const plain = () => guard({ name: 'plain', run: () => {} })
const answer = () => new Response(longText, { headers: { 'content-type': 'text/plain' } })

describe('the default of a public route whose steps read who is calling', () => {
  let root = ''
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'twinwire-known-'))
    const file = join(root, 'site.css')
    writeFileSync(file, longText)
    // One that has just been changed is not kept, and so not compressed.
    utimesSync(file, 1_700_000_000, 1_700_000_000)
  })
  afterAll(() => rmSync(root, { recursive: true, force: true }))

  onTransports({ describe, afterEach }, ({ start }) => {
    it('is off, as of one that is authenticated: its answer may hold a secret of the caller', async () => {
      const { request } = await start({
        pkgIds: {},
        routes: {},
        plugins: [
          fakeIdentity(),
          definePlugin(pluginKey('greeting').of<void>(), {
            setup: (host) => host.guard(optional(), { when: ({ path }) => path === '/greeted' }),
          }),
        ],
        endpoints: [
          route({ http: 'GET /anyone', access: 'public', use: [plain()], handler: () => longText }),
          route({
            http: 'GET /profile',
            access: 'public',
            use: [plain(), optional()],
            handler: (_i, { user }) => `${user} ${longText}`,
          }),
          route({
            http: { route: 'GET /asked', compression: true },
            access: 'public',
            use: [optional()],
            handler: () => longText,
          }),
          route({ http: 'GET /greeted', access: 'public', handler: () => longText }),
          fromFetch('/site', answer, { access: 'public', use: [plain()] }),
          fromFetch('/account', answer, { access: 'public', use: [optional()] }),
          fromFetch('/asked/account', answer, { access: 'public', use: [optional()], compression: true }),
          // A file is the same for every caller, and has an option of its own.
          staticFiles({ root, prefix: '/files', access: 'public', use: [optional()] }),
          staticFiles({ root, prefix: '/own', access: 'authenticated' }),
          staticFiles({ root, prefix: '/plain', access: 'public', use: [optional()], compression: false }),
        ],
      })
      const found: Record<string, string> = {}
      const paths = [
        'anyone',
        'profile',
        'asked',
        'greeted',
        'site/a',
        'account/a',
        'asked/account/a',
        'files/site.css',
        'own/site.css',
        'plain/site.css',
      ]
      for (const path of paths) {
        const { status, headers } = await request(`GET /${path}`, accepts('gzip', { authorization: 'Bearer ann' }))
        expect([path, status]).toEqual([path, 200])
        found[path] = headers['content-encoding'] ?? 'as it is'
      }
      expect(found).toEqual({
        anyone: 'gzip',
        profile: 'as it is',
        asked: 'gzip',
        greeted: 'as it is',
        'site/a': 'gzip',
        'account/a': 'as it is',
        'asked/account/a': 'gzip',
        'files/site.css': 'gzip',
        'own/site.css': 'gzip',
        'plain/site.css': 'as it is',
      })
    })
  })
})
