import { describe, expect, it } from 'vitest'
import { dropSafe } from './drop-safe.ts'

interface Dropped {
  readonly error: unknown
  readonly promise: string
}

function listen() {
  const dropped: Dropped[] = []
  return { dropped, listener: { dropped: (error: unknown, promise: string) => void dropped.push({ error, promise }) } }
}

async function fail(afterTurns = 0): Promise<never> {
  for (let turn = 0; turn < afterTurns; turn++) await nextTurn()
  throw new Error('no')
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn()
}

// What is unhandled fails the run: each of these tests says that nothing is.
describe('a promise that may be dropped', () => {
  it('tells its listener when it fails and nothing has handled it', async () => {
    const { dropped, listener } = listen()
    void dropSafe(fail(), 'at.once', listener)
    void dropSafe(fail(3), 'later', listener)
    await turns(6)
    expect(dropped).toEqual([
      { error: new Error('no'), promise: 'at.once' },
      { error: new Error('no'), promise: 'later' },
    ])
  })

  it.each<[string, (promise: Promise<never>) => Promise<unknown>]>([
    ['awaited', async (promise) => await promise],
    ['returned', async (promise) => promise],
    ['caught', (promise) => promise.catch((error) => Promise.reject(error))],
    ['followed', (promise) => promise.then(() => 'never')],
    ['followed by finally', (promise) => promise.finally(() => {})],
    ['one of many', (promise) => Promise.all([promise, nextTurn()])],
    ['raced', (promise) => Promise.race([promise, turns(20)])],
    ['adopted', (promise) => Promise.resolve(promise)],
    ['the result of another', (promise) => new Promise((resolve) => resolve(promise))],
  ])('reports nothing when it is %s: the handler receives the error', async (_name, handle) => {
    for (const afterTurns of [0, 3]) {
      const { dropped, listener } = listen()
      await expect(handle(dropSafe(fail(afterTurns), 'p', listener))).rejects.toThrow('no')
      await turns(6)
      expect(dropped).toEqual([])
    }
  })

  it('is a promise like any other: resolves, and gives plain promises', async () => {
    const { dropped, listener } = listen()
    const promise = dropSafe(Promise.resolve(7), 'p', listener)
    expect(promise).toBeInstanceOf(Promise)
    expect(await promise).toBe(7)
    expect(await promise).toBe(7)
    expect(promise.then(() => 1).constructor).toBe(Promise)
    void dropSafe(Promise.resolve(7), 'p', listener)
    await turns(3)
    expect(dropped).toEqual([])
  })

  it('may be handled late: it has been reported by then', async () => {
    const { dropped, listener } = listen()
    const promise = dropSafe(fail(), 'p', listener)
    await turns(3)
    expect(dropped).toHaveLength(1)
    await expect(promise).rejects.toThrow('no')
  })

  it('keeps the names of those who wait for it in the stack of an error', async () => {
    const { listener } = listen()
    async function handlerOfTheUser(): Promise<void> {
      await dropSafe(fail(1), 'p', listener)
    }
    const error = await handlerOfTheUser().catch((reason: unknown) => reason)
    expect((error as Error).stack).toContain('handlerOfTheUser')
  })
})
