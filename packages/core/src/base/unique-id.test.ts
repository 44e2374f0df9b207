import { expect, test } from 'vitest'
import { createId } from './unique-id.ts'

test('ids have the form of a UUID of version 4', () => {
  for (let i = 0; i < 10; i++)
    expect(createId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
})

test('ids are unique, across blocks as well', () => {
  const ids = Array.from({ length: 20_000 }, createId)
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(ids.map((id) => id.slice(0, -2))).size).toBeGreaterThan(70)
})
