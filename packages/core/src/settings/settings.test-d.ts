import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { createApp } from '../app/app.ts'
import {
  httpSettings,
  lifecycleSettings,
  listenSettings,
  logSettings,
  websocketSettings,
} from '../app/core-settings.ts'
import type { Environment } from '../base/environment.ts'
import { option } from '../base/option.ts'
import { database } from '../database/database-plugin.ts'
import { databaseSettings } from '../database/database-settings.ts'
import { settingsGroup } from './group.ts'
import { defineSettings } from './settings.ts'
import { variable } from './variable.ts'

const about = 'For the test'

describe('settings', () => {
  const declared = defineSettings({
    own: {
      key: variable.text('KEY', { about, secret: true }),
      retries: variable.integer('RETRIES', { about, default: 3 }),
      ratio: variable.number('RATIO', { about, optional: true }),
      mode: variable.oneOf('MODE', ['open', 'closed'], { about, defaults: { dev: 'open' } }),
      names: variable.list('NAMES', { about, optional: true, requiredIn: ['production'] }),
      born: variable.of(
        'BORN',
        v.pipe(
          v.string(),
          v.isoDate(),
          v.transform((text) => new Date(text)),
        ),
        { about },
      ),
      level: variable.of('LEVEL', v.picklist(['low', 'high']), { about, optional: true }),
    },
    mail: settingsGroup({
      variables: {
        host: variable.text('MAIL_HOST', { about, default: 'localhost' }),
        port: variable.integer('MAIL_PORT', { about, optional: true }),
      },
      to: ({ host, port }) => {
        expectTypeOf(host).toEqualTypeOf<string>()
        expectTypeOf(port).toEqualTypeOf<number | undefined>()
        return { server: `${host}:${port ?? 25}` }
      },
    }),
  })
  type Settings = ReturnType<typeof declared.read>

  it('have the types of what was declared; an optional one is an optional key', () => {
    expectTypeOf<Settings['environment']>().toEqualTypeOf<Environment>()
    expectTypeOf<Settings['own']>().toEqualTypeOf<{
      readonly key: string
      readonly retries: number
      readonly mode: 'open' | 'closed'
      readonly born: Date
      readonly ratio?: number
      readonly names?: readonly string[]
      readonly level?: 'low' | 'high'
    }>()
    expectTypeOf<Settings['mail']>().toEqualTypeOf<{ server: string }>()
  })

  it('have the types of the rules of options', () => {
    const rules = defineSettings({
      own: {
        retries: variable.option('RETRIES', option.integer({ default: 3 }), { about }),
        ratio: variable.option('RATIO', option.number(), { about }),
        mode: variable.option('MODE', option.choice(['open', 'closed'], { required: true }), { about }),
      },
    })
    expectTypeOf<ReturnType<typeof rules.read>['own']>().toEqualTypeOf<{
      readonly retries: number
      readonly mode: 'open' | 'closed'
      readonly ratio?: number
    }>()
    // @ts-expect-error a function has no text
    variable.option('A', option.callback(), { about })
  })

  it('are read-only', () => {
    const change = (settings: Settings): void => {
      // @ts-expect-error a setting is read-only
      settings.own.retries = 4
      // @ts-expect-error a group is read-only
      settings.mail = { server: '' }
    }
    expectTypeOf(change).toBeFunction()
  })

  it('refuse what a variable cannot be', () => {
    // @ts-expect-error a default of another type
    variable.integer('A', { about, default: '3' })
    // @ts-expect-error a default that is not a choice
    variable.oneOf('A', ['open', 'closed'], { about, default: 'ajar' })
    // @ts-expect-error an option that there is not
    variable.text('A', { about, defualt: 'x' })
    // @ts-expect-error a variable says what it does
    variable.text('A', {})
    // @ts-expect-error a variable is a string: its schema must accept one
    variable.of('A', v.number(), { about })
    // @ts-expect-error an environment that there is not
    variable.text('A', { about, defaults: { prod: 'x' } })
  })

  it('are what the options of core take', () => {
    const compose = (): void => {
      const settings = defineSettings({
        listen: listenSettings,
        lifecycle: lifecycleSettings,
        http: httpSettings,
        websocket: websocketSettings,
        log: logSettings,
        database: databaseSettings({ embedded: 'pglite://memory' }),
      }).read()
      const app = createApp({
        pkgIds: {},
        routes: {},
        environment: settings.environment,
        http: settings.http,
        websocket: { path: '/web', ...settings.websocket },
        log: settings.log,
        plugins: [database({ ...settings.database })],
        ...settings.lifecycle,
      })
      void app.listen(settings.listen)
    }
    expectTypeOf(compose).toBeFunction()
  })
})
