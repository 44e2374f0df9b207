// The blocks of docs_site/auth.md: the programs run, and what the page shows is what they answer.
import { once } from 'node:events'
import type { AnyRoute } from '@twinwire/core'
import { createTestApp } from '@twinwire/core/testing'
import { auth } from '@twinwire/plugin-auth'
import { createTestIssuer } from '@twinwire/plugin-auth/testing'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import WebSocket from 'ws'
import { readBlocks, testBlocks, writeBlocks } from '../support/page-blocks.ts'
import { parseAnswer, partShown, readPage, shownBlocks, startProgram } from '../support/page-program.ts'

// On a busy machine.
vi.setConfig({ testTimeout: 120_000 })

const page = await readBlocks('auth')
const markdown = readPage('auth')
// Before the tests: those of a block become tests of this file.
await writeBlocks(page.folder, page)

async function framesOf(socket: WebSocket, count: number): Promise<readonly unknown[]> {
  const frames: unknown[] = []
  socket.on('message', (bytes) => frames.push(JSON.parse(String(bytes))))
  await vi.waitFor(() => expect(frames).toHaveLength(count), 15_000)
  socket.close()
  return frames
}

describe('the blocks of the page about signing in', async () => {
  testBlocks(page)

  await import(/* @vite-ignore */ `${page.folder}/authors.test.ts`)

  it('development.ts answers on both wires what the page shows', async () => {
    const program = startProgram(page.folder, 'development.ts', { PORT: '0', ISSUER_PORT: '0' })
    const [, url = '', issuer = ''] = await program.find(/^(http:\S+), users of (\S+)$/m)
    const [, ada = ''] = await program.find(/^ADA=(\S+)$/m)
    const [, bob = ''] = await program.find(/^BOB=(\S+)$/m)
    const create = (token: string): Promise<Response> =>
      fetch(`${url}/authors`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
        body: '{"name":"Ursula"}',
      })
    const [missing, denied, created] = shownBlocks(markdown, 'http').map(parseAnswer)
    for (const [answer, shown] of [
      [await fetch(`${url}/authors`), missing],
      [await create(bob), denied],
      [await create(ada), created],
    ] as const) {
      if (shown === undefined) throw new Error('the page shows three answers')
      expect(await partShown(answer, shown)).toEqual(shown)
    }

    const [frames = '', payload = '', me = ''] = shownBlocks(markdown, 'json')
    const [admitted, refused] = frames.split('\n').map((line): Record<string, unknown> => JSON.parse(line))
    const command = /-x '(\{.*\})'/.exec(markdown)?.[1] ?? ''
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, { headers: { authorization: `Bearer ${bob}` } })
    socket.once('open', () => socket.send(command))
    expect(await framesOf(socket, 2)).toEqual([{ ...admitted, expires_at: expect.any(Number) }, refused])

    const claims = JSON.parse(Buffer.from(bob.split('.')[1] ?? '', 'base64url').toString())
    expect(claims).toMatchObject({ ...JSON.parse(payload), iss: issuer })
    const asked = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${bob}` } })
    expect(await asked.json()).toEqual(JSON.parse(me))

    const curl = /localhost:8180\/\S+(.*)/.exec(markdown)?.[1] ?? ''
    const form = Object.fromEntries([...curl.matchAll(/ -d (\w+)=([\w-]+)/g)].map(([, name, value]) => [name, value]))
    const login = await fetch(`${issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams(form),
    })
    const tokens = (await login.json()) as Record<string, unknown>
    expect(tokens).toMatchObject({ expires_in: 300, refresh_token: expect.any(String) })
    expect((await create(String(tokens['access_token']))).status).toBe(201)
    const cleared = (token: string): Promise<number> =>
      fetch(`${url}/authors`, { method: 'DELETE', headers: { authorization: `Bearer ${token}` } }).then(
        (it) => it.status,
      )
    expect([await cleared(bob), await cleared(ada)]).toEqual([403, 204])
    await program.end()
  })

  it('main.ts takes users of a Keycloak, and page.js and program.ts open sockets', async () => {
    const issuer = await createTestIssuer({ realm: 'authors', clientId: 'authors-api' })
    onTestFinished(() => issuer.stop())
    const program = startProgram(page.folder, 'main.ts', { PORT: '0', KEYCLOAK_BASE_URL: issuer.url })
    const [url] = await program.find(/^http:\S+$/m)
    vi.stubGlobal('WebSocket', WebSocket)
    onTestFinished(() => void vi.unstubAllGlobals())
    const files = await Promise.all(['page.js', 'program.ts'].map((file) => import(`${page.folder}/${file}`)))
    const opens: Record<string, (url: string, token: string) => WebSocket> = Object.assign({}, ...files)
    expect(Object.keys(opens)).toHaveLength(3)
    for (const open of Object.values(opens)) {
      const socket = open(`${url.replace('http', 'ws')}/ws`, issuer.token({ username: 'ada' }))
      expect(await framesOf(socket, 1)).toMatchObject([{ type: 'auth_ok' }])
    }
    // Neither a token nor another frame first.
    const anonymous = new WebSocket(`${url.replace('http', 'ws')}/ws`)
    anonymous.once('open', () => anonymous.send(/-x '(\{.*\})'/.exec(markdown)?.[1] ?? ''))
    expect((await once(anonymous, 'close'))[0]).toBe(4001)
    await program.end()
  })

  it('editors.ts and sign-out.ts guard their routes', async () => {
    const files = await Promise.all(['editors.ts', 'sign-out.ts'].map((file) => import(`${page.folder}/${file}`)))
    const { publish, signOut } = Object.assign({}, ...files) as { publish: AnyRoute; signOut: AnyRoute }
    const issuer = await createTestIssuer()
    onTestFinished(() => issuer.stop())
    const { client, request, close } = await createTestApp({
      pkgIds: { PUBLISH: 1, SIGN_OUT: 2 },
      routes: { PUBLISH: publish, SIGN_OUT: signOut },
      plugins: [auth({ issuer: issuer.issuer, audience: issuer.audience, clientId: issuer.clientId })],
    })
    const headers = (user: Parameters<typeof issuer.token>[0]) => ({ authorization: `Bearer ${issuer.token(user)}` })
    const editor = { username: 'ada', id: 'ada', groups: ['/staff/editors'] }
    expect((await request('POST /publish', { headers: headers(editor) })).status).toBe(204)
    expect((await request('POST /publish', { headers: headers({ username: 'bob' }) })).status).toBe(403)
    const ada = await client({ headers: headers(editor) })
    const admin = headers({ username: 'eve', realmRoles: ['admin'] })
    expect((await request('POST /users/ada/sign-out', { headers: admin })).json()).toEqual({ connections_ended: 1 })
    expect(await ada.closed).toMatchObject({ code: 4004 })
    expect(
      (await request('POST /users/ada/sign-out', { headers: headers({ username: 'x', roles: ['admin'] }) })).status,
    ).toBe(403)
    await close()
  })
})
