import { createVirtualClock } from '@twinwire/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Expiry, type LiveSocket } from './expiry.ts'
import { User } from './user.ts'

const userUntil = (expiresAt: number) =>
  new User({
    id: 'u',
    name: 'u',
    username: null,
    email: null,
    roles: [],
    realmRoles: [],
    groups: [],
    scopes: [],
    sessionId: null,
    issuedAt: 0,
    authenticatedAt: 0,
    expiresAt,
    claims: {},
  })

/** A connection with only the methods that expiry calls. */
function createSocket(events: string[], expiresAt: number, now: () => number): LiveSocket {
  const connection = {
    admitted: true,
    sendControl: () => void events.push(`warned at ${now()}`),
    close: () => void events.push(`closed at ${now()}`),
  }
  return {
    connection: connection as unknown as LiveSocket['connection'],
    user: userUntil(expiresAt),
    isWarned: false,
    nextSecond: 0,
  }
}

it('one timer warns and closes every socket at the same time as separate timers would', async () => {
  const lifetimes = fc.array(
    fc.record({ lifeS: fc.integer({ min: 1, max: 200 }), leavesAtS: fc.option(fc.integer({ min: 1, max: 250 })) }),
    { maxLength: 8 },
  )
  await fc.assert(
    fc.asyncProperty(
      lifetimes,
      fc.integer({ min: 0, max: 90 }),
      fc.integer({ min: 0, max: 20 }),
      async (lives, warnS, graceS) => {
        const clock = createVirtualClock(0)
        const expiry = new Expiry({ clock, warningMs: warnS * 1000, graceMs: graceS * 1000 })
        const seen = lives.map(({ lifeS, leavesAtS }) => {
          const events: string[] = []
          const socket = createSocket(events, lifeS * 1000, () => clock.now())
          expiry.watch(socket)
          return { events, socket, lifeS, leavesAtS: leavesAtS ?? Number.POSITIVE_INFINITY }
        })
        expect(clock.pendingTimers).toBe(lives.length === 0 ? 0 : 1)
        for (let second = 1; second <= 230; second++) {
          for (const { socket, leavesAtS } of seen) if (leavesAtS === second) expiry.forget(socket)
          await clock.advance(1000)
        }
        for (const { events, lifeS, leavesAtS } of seen) {
          const warnAt = Math.ceil(Math.max(lifeS - warnS, lifeS / 2))
          const expected = [
            ...(warnS > 0 && warnAt < leavesAtS ? [`warned at ${warnAt * 1000}`] : []),
            ...(lifeS + graceS < leavesAtS ? [`closed at ${(lifeS + graceS) * 1000}`] : []),
          ]
          expect(events).toEqual(expected)
        }
        expect(clock.pendingTimers).toBe(0)
      },
    ),
    { numRuns: 15 },
  )
})
