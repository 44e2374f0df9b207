import { createTestLogger, createVirtualClock } from '@twinwire/core/testing'
import { expect, it } from 'vitest'
import { User } from '../user.ts'
import { Revocations } from './revocations.ts'

function create(maxEntries = 100) {
  const clock = createVirtualClock(10_000)
  const log = createTestLogger()
  return { clock, log, revocations: new Revocations({ rememberMs: 60_000, maxEntries, clock, log }) }
}

const userOf = (id: string, sessionId: string | null, authenticatedAt: number) =>
  new User({
    id,
    name: id,
    username: null,
    email: null,
    roles: [],
    realmRoles: [],
    groups: [],
    scopes: [],
    sessionId,
    issuedAt: authenticatedAt,
    authenticatedAt,
    expiresAt: authenticatedAt + 1000,
    claims: {},
  })

it('a revocation is remembered for its time, and forgotten then', async () => {
  const { clock, revocations } = create()
  revocations.add({ kind: 'session', sessionId: 's-1' })
  expect(revocations.has(userOf('u', 's-1', 0))).toBe(true)
  expect(revocations.has(userOf('u', 's-2', 0))).toBe(false)
  expect(revocations.has(userOf('u', null, 0))).toBe(false)
  await clock.advance(60_000)
  revocations.add({ kind: 'session', sessionId: 's-2' })
  expect(revocations.size).toBe(1)
})

it('a revocation of a user covers what was before it, and an older one does not replace it', () => {
  const { revocations } = create()
  revocations.add({ kind: 'user', userId: 'u', untilMs: 5000 })
  revocations.add({ kind: 'user', userId: 'u', untilMs: 3000 })
  expect(revocations.has(userOf('u', null, 5000))).toBe(true)
  expect(revocations.has(userOf('u', null, 5001))).toBe(false)
  expect(revocations.has(userOf('other', null, 0))).toBe(false)
})

it('revocations are limited: the oldest is removed, and that is logged', () => {
  const { revocations, log } = create(3)
  for (let i = 0; i < 5; i++) revocations.add({ kind: 'session', sessionId: `s-${i}` })
  expect(revocations.size).toBe(3)
  expect([0, 1, 2, 3, 4].map((i) => revocations.has(userOf('u', `s-${i}`, 0)))).toEqual([
    false,
    false,
    true,
    true,
    true,
  ])
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
})
