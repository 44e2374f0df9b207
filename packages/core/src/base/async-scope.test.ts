import { expect, test } from 'vitest'
import { AsyncScope } from './async-scope.ts'

const all = (): boolean => true

test('code inside a run finds its value, also after a pause and in nested runs', async () => {
  const scope = new AsyncScope<string>()
  expect([scope.isEmpty, scope.find(all)]).toEqual([true, null])
  await scope.run('outer', async () => {
    await Promise.resolve()
    await scope.run('inner', async () => {
      expect(scope.find(all)).toBe('inner')
      expect(scope.find((value) => value === 'outer')).toBe('outer')
      expect(scope.find((value) => value === 'other')).toBeNull()
    })
    expect([scope.isEmpty, scope.find(all)]).toEqual([false, 'outer'])
  })
  expect(scope.isEmpty).toBe(true)
})

test('runs side by side do not see each other', async () => {
  const scope = new AsyncScope<number>()
  const found = await Promise.all(
    [1, 2].map((value) =>
      scope.run(value, async () => {
        await Promise.resolve()
        return scope.find(all)
      }),
    ),
  )
  expect(found).toEqual([1, 2])
})

test('background work that outlives its run finds the outer value, then none', async () => {
  const scope = new AsyncScope<string>()
  const found: (string | null)[] = []
  let background = Promise.resolve()
  await scope.run('outer', async () => {
    let end = (): void => {}
    await scope.run('inner', async () => {
      const ended = new Promise<void>((resolve) => {
        end = resolve
      })
      background = ended.then(() => void found.push(scope.find(all)))
    })
    end()
    await background
    background = new Promise<void>((resolve) => setImmediate(resolve)).then(() => void found.push(scope.find(all)))
  })
  await background
  expect(found).toEqual(['outer', null])
})

test('a run that fails rejects with the same error and is over', async () => {
  const scope = new AsyncScope<string>()
  const error = new Error('mine')
  let inside: () => string | null = () => ''
  const work = scope.run('value', async () => {
    inside = () => scope.find(all)
    throw error
  })
  await expect(work).rejects.toBe(error)
  expect(inside()).toBeNull()
})
