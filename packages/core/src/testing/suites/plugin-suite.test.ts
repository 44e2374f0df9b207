// A plugin that keeps the rules passes, and each fault that is planted in it is found.
import { AppError, BootError, createApp, defineErrors, guard, type Plugin, route } from '@twinwire/core'
import {
  type CounterCell,
  checkOptions,
  definePlugin,
  type OptionRules,
  option,
  type PluginHost,
  pluginKey,
} from '@twinwire/core/plugin'
import { settingsGroup, variable } from '@twinwire/core/settings'
import { type PluginSubject, pluginSuite, type TestRunner } from '@twinwire/core/testing'
import * as v from 'valibot'
import * as vitest from 'vitest'
import { expect, it } from 'vitest'

interface QuotaOptions {
  readonly most?: number
  readonly path?: `/${string}`
}
interface QuotaApi {
  take(caller: string): void
}
const quotaKey = pluginKey('quota').of<QuotaApi>()
const quotaErrors = defineErrors('quota', { used_up: { httpStatus: 429, message: 'Nothing is left' } })
const rules = {
  most: option.integer({ min: 1, default: 100 }),
  path: option.path({ default: '/quota' }),
} satisfies OptionRules<QuotaOptions>
const quotaSettings = settingsGroup({
  variables: { most: variable.option('QUOTA_MOST', rules.most, { about: 'Calls of a caller' }) },
  to: ({ most }) => ({ most }),
})

/** What one test plants in the plugin. */
interface Faults {
  readonly setup?: (host: PluginHost) => void
  readonly onTake?: (caller: string, host: PluginHost) => void
  readonly accept?: boolean
}

function quota(options: QuotaOptions = {}, { setup, onTake, accept = false }: Faults = {}): Plugin<QuotaApi> {
  return definePlugin(quotaKey, {
    setup(host) {
      const { most, path } = accept ? { most: 100, path: '/quota' as const } : checkOptions('quota()', options, rules)
      const taken = new Map<string, number>()
      const refused: CounterCell = host.instruments.counter('quota_refused_total', 'Calls that were refused').cell()
      const timer = setInterval(() => taken.clear(), 60_000).unref()
      host.endpoint(
        route({
          http: `GET ${path}`,
          access: 'public',
          output: v.object({ most: v.number() }),
          handler: () => ({ most }),
        }),
      )
      host.health('quota', () => {})
      host.onClose(() => clearInterval(timer))
      setup?.(host)
      return {
        take(caller) {
          onTake?.(caller, host)
          const count = (taken.get(caller) ?? 0) + 1
          taken.set(caller, count)
          if (count <= most) return
          refused.inc()
          throw quotaErrors.used_up()
        },
      }
    },
  })
}

const takeOne = guard({
  name: 'quota.take',
  needs: quotaKey,
  bind: (api) => (call) => api.take(call.headers['x-caller'] ?? ''),
})
const take = route({ http: 'POST /take', access: 'public', use: [takeOne], handler: () => 'taken' })
const routes = { TAKE: take }
type Subject = PluginSubject<{ TAKE: 1 }, typeof routes, Record<never, never>>

function subjectOf(faults: Faults = {}, more: Partial<Subject> = {}): Subject {
  return {
    createPlugin: () => quota({}, faults),
    createApp: (plugin) => ({ pkgIds: { TAKE: 1 }, routes, plugins: [plugin] }),
    exercise: async ({ client, request }, n) => {
      const caller = await client({ headers: { 'x-caller': `caller ${n}` } })
      expect([await caller.call('TAKE'), await caller.http('TAKE')]).toEqual(['taken', 'taken'])
      expect((await request('GET /quota')).status).toBe(200)
    },
    health: ['quota'],
    errors: quotaErrors,
    options: {
      create: (options) => quota(options, faults),
      valid: { most: 5, path: '/quotas' },
      refused: { most: [0, '5', 1.5], path: ['quota', ''] },
    },
    settings: {
      group: quotaSettings,
      variables: { QUOTA_MOST: '7' },
      refused: { QUOTA_MOST: ['many', '0'] },
      create: (settings) => quota(settings, faults),
    },
    ...more,
  }
}

pluginSuite(vitest, subjectOf())

/** Names of the tests that fail; of `only` those. */
async function failuresOf(subject: Subject, only: readonly string[] | null = null): Promise<readonly string[]> {
  const tests: [name: string, test: () => unknown][] = []
  const before: (() => unknown)[] = []
  const after: (() => unknown)[] = []
  const runner: TestRunner = {
    describe: (_name, suite) => suite(),
    it: (name, test) => tests.push([name, test]),
    beforeAll: () => {},
    afterAll: () => {},
    beforeEach: (hook) => before.push(hook),
    afterEach: (hook) => after.push(hook),
    expect,
  }
  pluginSuite(runner, subject)
  const failed: string[] = []
  for (const [name, test] of tests) {
    if (only !== null && !only.includes(name)) continue
    try {
      for (const hook of before) await hook()
      try {
        await test()
      } finally {
        for (const hook of after) await hook()
      }
    } catch {
      failed.push(name)
    }
  }
  return failed
}

const leak = 'closes within the drain while calls are in flight, and leaves no timer or handle'
const closed = [
  'is closed when a plugin after it fails in its setup',
  'is closed when the app fails when all is set up',
]
const series = 'has instruments of its name, with no series for each caller, input or path'
const shared = { timer: false }

it.each<[string, Faults, Partial<Subject>, readonly string[]]>([
  ['a timer that is left', { setup: () => void setInterval(() => {}, 60_000).unref() }, {}, [leak, ...closed]],
  [
    'a hook onClose that throws',
    { setup: ({ onClose }) => onClose(() => Promise.reject(new Error('no'))) },
    {},
    [leak, ...closed],
  ],
  [
    'a hook onClose that hangs',
    { setup: ({ onClose }) => onClose(() => new Promise(() => {})) },
    {},
    [leak, ...closed],
  ],
  [
    'a series for each caller',
    {
      onTake: (caller, { instruments }) =>
        instruments
          .counter('quota_taken_total', 'Taken', { caller: [caller] }, { shared: true })
          .cell({ caller })
          .inc(),
    },
    {},
    [series],
  ],
  [
    'an instrument of another name',
    { setup: ({ instruments }) => void instruments.gauge('queue_size', 'Size').cell() },
    {},
    [series],
  ],
  [
    'an error outside of its namespace',
    {},
    {
      errors: {
        gone: Object.assign(() => new AppError('quotas.gone', quotaErrors.used_up.row), {
          code: 'quotas.gone',
          row: quotaErrors.used_up.row,
        }),
      },
    },
    ['has errors under its namespace'],
  ],
  [
    'a health check that fails',
    { setup: ({ health }) => health('store', () => Promise.reject(new Error('down'))) },
    { health: ['quota', 'store'] },
    ['has the health checks that it names, and they answer'],
  ],
  [
    'a health check that is not named',
    { setup: ({ health }) => health('store', () => {}) },
    {},
    ['has the health checks that it names, and they answer'],
  ],
  [
    'a rejection that is not handled',
    { onTake: () => void Promise.reject(new Error('forgotten')) },
    {},
    ['boots, and what it is for works'],
  ],
  [
    'what is shared by all apps of the process',
    {
      setup: ({ onClose }) => {
        if (shared.timer) throw new BootError('quota.taken', 'quota(): there is another one')
        shared.timer = true
        onClose(() => {
          shared.timer = false
        })
      },
    },
    {},
    ['works in two apps of one process, and in one when the other has closed'],
  ],
])('finds %s', async (_name, faults, more, expected) => {
  expect(await failuresOf(subjectOf(faults, more), expected)).toEqual(expected)
})

it('finds options and settings that are not checked', async () => {
  const failed = await failuresOf(subjectOf({ accept: true }))
  expect(failed).toEqual([
    'refuses an unknown name',
    'refuses a symbol as most',
    'refuses a symbol as path',
    'refuses 0 as most',
    'refuses "5" as most',
    'refuses 1.5 as most',
    'refuses "quota" as path',
    'refuses "" as path',
  ])
  expect(
    await failuresOf(
      subjectOf(
        {},
        { settings: { group: quotaSettings, prefixes: ['LIMIT_'], variables: {}, refused: { QUOTA_MOST: ['7'] } } },
      ),
    ),
  ).toEqual(['are described, under names of their own', 'refuse "7" as QUOTA_MOST'])
})

it('an endpoint that does not state its access does not boot', async () => {
  const open = route({ http: 'GET /open', handler: () => 1 })
  const app = createApp({
    pkgIds: {},
    routes: {},
    environment: 'test',
    log: 'silent',
    plugins: [quota({}, { setup: (host) => host.endpoint(open) })],
  })
  await expect(app.ready()).rejects.toMatchObject({ code: 'bad_route' })
})
