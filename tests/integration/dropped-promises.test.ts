// An `await` that was forgotten, in a process of its own with real sockets: one package must not end it.
import { afterEach, describe, expect, test } from 'vitest'
import { type ChildApp, startChildApp } from '../support/child-app.ts'
import { PackageClient } from '../support/package-client.ts'

const children: ChildApp[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL')
    await child.ended
  }
})

type Line = Readonly<Record<string, unknown>>

async function start(env: Readonly<Record<string, string>>) {
  const child = await startChildApp('dropping-app.ts', env)
  children.push(child)
  const url = `ws://127.0.0.1:${child.port}/ws`
  const lines = (): readonly Line[] =>
    child
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{"level"'))
      .map((line) => JSON.parse(line) as Line)
  return { child, url, lines, one: await PackageClient.connect(url), other: await PackageClient.connect(url) }
}

/** The process lives and so does every socket. */
async function expectAlive(...clients: readonly PackageClient[]): Promise<void> {
  for (const client of clients) expect((await client.call(2)).data).toBe('pong')
}

const modes = { 'with our handler of unhandled rejections': 'log', 'without it': 'ignore' } as const

describe.each(Object.entries(modes))('%s', (_name, UNHANDLED) => {
  test('a join that is dropped and refused is logged with the fields of its call, and every socket stays', async () => {
    const { one, other, lines } = await start({ UNHANDLED })
    expect(await one.call(1, { name: 'connection.join' })).toMatchObject({ status_code: 0, data: 'done' })
    await expectAlive(one, other)
    const line = {
      level: 'error',
      promise: 'connection.join',
      route: 'DROP',
      wire: 'ws',
      pkg_id: 1,
      request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      connection_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      user_id: null,
      address: '127.0.0.1',
      err: expect.objectContaining({ message: 'Not allowed to join this topic' }),
    }
    await expect.poll(lines).toEqual([expect.objectContaining(line)])
    await one.call(1, { name: 'connection.join of the hub' })
    await expectAlive(one, other)
    const ofConnection = { promise: 'connection.join', connection_id: expect.any(String), address: '127.0.0.1' }
    await expect.poll(lines).toEqual([expect.objectContaining(line), expect.objectContaining(ofConnection)])
  })

  test('what an around has begun and left is logged when it fails', async () => {
    const { one, url, lines } = await start({ UNHANDLED })
    const leaving = await PackageClient.connect(`${url}?leave=yes`)
    expect(await leaving.call(3)).toMatchObject({ data: { code: 'internal_error' } })
    await expect.poll(lines).toContainEqual(
      expect.objectContaining({
        promise: 'next',
        route: 'NEXT',
        err: expect.objectContaining({ message: 'The handler failed later' }),
      }),
    )
    await expectAlive(one, leaving)
  })
})

describe('a promise of the application', () => {
  test('is logged with its cause, and the process goes on', async () => {
    const { one, other, lines } = await start({})
    expect((await one.call(4)).data).toBe('done')
    await expectAlive(one, other)
    const err = { message: 'A helper of the application failed', stack: expect.stringContaining('dropping-app.ts') }
    await expect.poll(lines).toEqual([expect.objectContaining({ level: 'error', err: expect.objectContaining(err) })])
  })

  test('is logged with the fields of its call where the app asks for them', async () => {
    const { one, lines } = await start({ ASYNC_CONTEXT: 'yes' })
    await one.call(4)
    await expect.poll(lines).toEqual([expect.objectContaining({ level: 'error', route: 'OWN', pkg_id: 4 })])
    await expectAlive(one)
  })

  test('ends the process where the option says that core does not listen: that is what Node does', async () => {
    const { child, one } = await start({ UNHANDLED: 'ignore' })
    await one.call(4).catch(() => {})
    expect(await child.ended).toEqual({ code: 1, signal: null })
  })
})
