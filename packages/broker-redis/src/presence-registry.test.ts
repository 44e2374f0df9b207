import { createTestLogger } from '@twinwire/core/testing'
import type { Member } from '@twinwire/core/transport'
import type { RedisScript } from '@twinwire/redis'
import { expect, it } from 'vitest'
import { nodeKeys } from './keys.ts'
import { PresenceRegistry } from './presence-registry.ts'
import { topicsScript } from './scripts/node-scripts.ts'
import { joinScript, leaseMembersScript, leaveScript, removeMembersScript } from './scripts/presence-scripts.ts'

/** With a Redis that knows one topic. */
function create() {
  const stored = new Map<string, string>()
  const told: string[] = []
  const redis = { fails: (): boolean => false }
  async function run(
    _: string,
    script: RedisScript,
    __: unknown,
    args: readonly (string | number)[],
  ): Promise<unknown> {
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (redis.fails()) throw new Error('no answer')
    const strings = args.map(String)
    if (script === joinScript) {
      for (let at = 5; at < strings.length; at += 2) {
        const [connection = '', text = ''] = strings.slice(at)
        if (strings[4] === 'join' || !stored.has(connection)) told.push(`joined ${connection}`)
        stored.set(connection, text)
      }
      return 'epoch'
    }
    if (script === topicsScript) return ['hall']
    if (script === leaseMembersScript) return ['', ...stored.keys()]
    const gone = script === leaveScript ? strings.slice(2) : script === removeMembersScript ? strings.slice(3) : []
    for (const connection of gone) if (stored.delete(connection)) told.push(`left ${connection}`)
    return 1
  }
  const link = { run, once: run, publishCommand: 'PUBLISH' } as const
  const registry = new PresenceRegistry(link, 'p:', nodeKeys('p:'), 'node.1', createTestLogger())
  return { registry, stored, told, redis }
}

const member = (connection: string, info: unknown = null): Member => ({ connection, identity: null, info })

it('tells of no connection that has left because what is said of members could not be renewed', async () => {
  const { registry, stored, told, redis } = create()
  const names = Array.from({ length: 1_000 }, (_, i) => `c${i}`)
  await Promise.all(names.map((name) => registry.join('hall', member(name))))
  told.length = 0
  let commands = 0
  redis.fails = () => ++commands === 1
  const renewed = await Promise.allSettled(names.map((name) => registry.join('hall', member(name, 'new'))))
  // What waited for the command that failed fails with it.
  expect(new Set(renewed.map(({ status }) => status))).toEqual(new Set(['rejected']))
  await registry.repair()
  expect(told).toEqual([])
  expect([...stored]).toEqual(names.map((name) => [name, JSON.stringify(member(name, 'new'))]))
  // One that could not join and leaves then.
  redis.fails = () => true
  await expect(registry.join('hall', member('late'))).rejects.toThrow('no answer')
  redis.fails = () => false
  await registry.leave('hall', member('late'))
  await registry.repair()
  expect(told).toEqual([])
})

it('takes a leave only when Redis has, also after a repair that failed', async () => {
  const { registry, stored, told, redis } = create()
  await registry.join('hall', member('ann'))
  redis.fails = () => true
  await expect(registry.leave('hall', member('ann'))).rejects.toThrow('no answer')
  await expect(registry.repair()).rejects.toThrow('no answer')
  await expect(registry.leave('hall', member('ann'))).rejects.toThrow('no answer')
  redis.fails = () => false
  await registry.leave('hall', member('ann'))
  expect([told, stored.size]).toEqual([['joined ann', 'left ann'], 0])
})

it('tells of those that leave before it tells of those that join with them', async () => {
  const { registry, told } = create()
  await registry.join('hall', member('old'))
  await Promise.all([registry.leave('hall', member('old')), registry.join('hall', member('new'))])
  await Promise.all([registry.join('hall', member('newer')), registry.leave('hall', member('new'))])
  expect(told).toEqual(['joined old', 'left old', 'joined new', 'left new', 'joined newer'])
})

it('leaves no member behind when it closes while many join', async () => {
  const { registry, stored } = create()
  const names = Array.from({ length: 1_000 }, (_, i) => `c${i}`)
  const joined = Promise.allSettled(names.map((name) => registry.join('hall', member(name))))
  await new Promise<void>((resolve) => setImmediate(resolve))
  await registry.close()
  const outcomes = (await joined).map((one) => (one.status === 'fulfilled' ? null : one.reason.code))
  expect(new Set(outcomes)).toEqual(new Set([null, 'not_connected']))
  expect(stored.size).toBe(0)
  await registry.repair()
  expect(stored.size).toBe(0)
})
