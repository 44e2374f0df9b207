import { fileURLToPath } from 'node:url'
import { BootError } from '@twinwire/core'
import { expect, test } from 'vitest'
import { readSettings } from './settings.ts'

const defaults = {
  port: 8000,
  host: '127.0.0.1',
  databaseUrl: `pglite://${fileURLToPath(new URL('../.data', import.meta.url))}`,
}

test('an empty environment gives the defaults; an empty variable is one that is not set', () => {
  expect(readSettings({})).toEqual(defaults)
  expect(readSettings({ PORT: '', HOST: '', DATABASE_URL: '', PATH: '/bin' })).toEqual(defaults)
})

test('reads what is set', () => {
  const env = { PORT: '0', HOST: '::1', DATABASE_URL: 'postgres://me:secret@db.example/authors' }
  expect(readSettings(env)).toEqual({ port: 0, host: '::1', databaseUrl: env.DATABASE_URL })
})

test.each(['65536', '-1', '80a', '0x50', '1e3', '8000.5', ' 8000', '000008000'])('refuses the port %j', (PORT) => {
  expect(() => readSettings({ PORT })).toThrow('PORT must be a whole number from 0 to 65535')
})

test('tells all that is wrong at once, and no value', () => {
  expect(() => readSettings({ PORT: 'x', HOST: 'a b', DATABASE_URL: 'mysql://me:secret@db' })).toThrow(
    new BootError(
      'settings_invalid',
      [
        'The settings are not right:',
        '  PORT must be a whole number from 0 to 65535',
        '  HOST must be a host name or an IP address',
        '  DATABASE_URL must start with postgres:// or pglite://',
      ].join('\n'),
    ),
  )
})
