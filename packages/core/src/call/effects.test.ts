import * as v from 'valibot'
import { afterEach, describe, expect, it } from 'vitest'
import { ConflictError, event, interceptor, type Next, route } from '../index.ts'
import { deferred, until } from '../testing/suite.fixtures.ts'
import { createVirtualClock, onTransports } from '../testing.ts'

const said = event({ data: v.object({ text: v.string() }) })
const pkgIds = { DO: 1, PING: 2, SAID: 100 }

/** An interceptor that holds effects as a transaction does, and what happened when. */
function transaction(log: string[], commit: () => Promise<void> = async () => {}) {
  return interceptor({
    name: 'transaction',
    holdsEffects: true,
    run: async (_call, next: Next) => {
      log.push('begin')
      try {
        const outcome = await next()
        await commit()
        log.push('commit')
        return outcome
      } catch (error) {
        log.push('rollback')
        throw error
      }
    },
  })
}
const ping = route({ handler: () => 'pong' })

describe('what waits for a commit', () => {
  onTransports({ describe, afterEach }, ({ start }) => {
    it('leaves after it and before the reply: events and effects, in order', async () => {
      const log: string[] = []
      const committing = deferred()
      const DO = route({
        use: [transaction(log, () => committing.promise)],
        handler: (_input, call) => {
          call.afterCommit(() => void log.push('first'))
          call.broadcast(said, { text: 'done' })
          call.afterCommit(async () => {
            await Promise.resolve()
            log.push('second')
          })
          call.afterCommit(() => void log.push('third'))
          log.push('handled')
          return 'ok'
        },
      })
      const { client } = await start({ pkgIds, routes: { DO, PING: ping }, events: { SAID: said } })
      const [one, other] = [await client(), await client()]
      const answer = one.call('DO')
      await until(() => log.includes('handled'))
      // A round trip on the other socket: had the event left, it would be there first.
      await other.call('PING')
      await expect(other.nextEvent('SAID', 1)).rejects.toThrow('No event')
      committing.resolve()
      expect(await other.nextEvent('SAID')).toEqual({ text: 'done' })
      expect(await answer).toBe('ok')
      await until(() => log.includes('third'))
      expect(log).toEqual(['begin', 'handled', 'commit', 'first', 'second', 'third'])
    })

    it('never leaves after a rollback', async () => {
      const log: string[] = []
      const DO = route({
        use: [transaction(log)],
        handler: (_input, call): null => {
          call.broadcast(said, { text: 'never' })
          call.afterCommit(() => void log.push('never'))
          throw new ConflictError()
        },
      })
      const { client } = await start({ pkgIds, routes: { DO, PING: ping }, events: { SAID: said } })
      const one = await client()
      await expect(one.call('DO')).rejects.toMatchObject({ code: 'conflict' })
      await one.call('PING')
      await expect(one.nextEvent('SAID', 1)).rejects.toThrow('No event')
      expect(log).toEqual(['begin', 'rollback'])
    })

    it('waits for the outermost of two', async () => {
      const log: string[] = []
      const outer = deferred()
      const DO = route({
        use: [transaction(log, () => outer.promise), transaction(log)],
        handler: (_input, call) => {
          call.broadcast(said, { text: 'done' })
          return 'ok'
        },
      })
      const { client } = await start({ pkgIds, routes: { DO, PING: ping }, events: { SAID: said } })
      const one = await client()
      const answer = one.call('DO')
      await until(() => log.length === 3)
      await one.call('PING')
      await expect(one.nextEvent('SAID', 1)).rejects.toThrow('No event')
      outer.resolve()
      expect(await answer).toBe('ok')
      expect(await one.nextEvent('SAID')).toEqual({ text: 'done' })
    })

    it('leaves when it commits, though the deadline has answered before', async () => {
      const log: string[] = []
      const committing = deferred()
      const clock = createVirtualClock()
      const DO = route({
        deadlineMs: 100,
        use: [transaction(log, () => committing.promise)],
        handler: (_input, call) => {
          call.broadcast(said, { text: 'committed' })
          log.push('handled')
          return 'late'
        },
      })
      const { client } = await start({ clock, pkgIds, routes: { DO, PING: ping }, events: { SAID: said } })
      const one = await client()
      const answer = one.call('DO').catch((error: unknown) => error)
      await until(() => log.includes('handled'))
      await clock.advance(100)
      expect(await answer).toMatchObject({ code: 'deadline_exceeded' })
      committing.resolve()
      expect(await one.nextEvent('SAID')).toEqual({ text: 'committed' })
    })

    it('runs after success without a transaction, never after a failure; events leave at once', async () => {
      const log: string[] = []
      const fail = { now: false }
      const DO = route({
        handler: (_input, call) => {
          call.afterCommit(() => void log.push('effect'))
          call.broadcast(said, { text: 'at once' })
          if (fail.now) throw new ConflictError()
          return 'ok'
        },
      })
      const { client } = await start({ pkgIds, routes: { DO, PING: ping }, events: { SAID: said } })
      const one = await client()
      await one.call('DO')
      expect(log).toEqual(['effect'])
      fail.now = true
      await expect(one.call('DO')).rejects.toMatchObject({ code: 'conflict' })
      expect(log).toEqual(['effect'])
      expect([await one.nextEvent('SAID'), await one.nextEvent('SAID')]).toEqual([
        { text: 'at once' },
        { text: 'at once' },
      ])
    })

    it('that fails is logged, hides nothing and keeps no other from running', async () => {
      const log: string[] = []
      const DO = route({
        use: [transaction(log)],
        handler: (_input, call) => {
          call.afterCommit(() => {
            throw new Error('mail is down')
          })
          call.afterCommit(() => Promise.reject(new Error('queue is down')))
          call.afterCommit(() => void log.push('last'))
          return 'ok'
        },
      })
      const { client, logs } = await start({ pkgIds, routes: { DO, PING: ping }, events: { SAID: said } })
      expect(await (await client()).call('DO')).toBe('ok')
      await until(() => log.includes('last'))
      expect(logs.filter(({ level }) => level === 'error').map(({ fields }) => (fields.err as Error).message)).toEqual([
        'mail is down',
        'queue is down',
      ])
    })
  })
})
