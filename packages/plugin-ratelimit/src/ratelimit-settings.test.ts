import { defineSettings } from '@twinwire/core/settings'
import { expect, it } from 'vitest'
import { resolveOptions } from './options.ts'
import { rateLimitSettings } from './ratelimit-settings.ts'

const read = (variables: Readonly<Record<string, string>>) =>
  defineSettings({ rateLimit: rateLimitSettings }).read({ variables }).rateLimit

it('the settings have the defaults of the options', () => {
  expect(resolveOptions(read({}))).toEqual({ ...resolveOptions({}), store: expect.anything() })
})

it('the settings are read', () => {
  const variables = {
    RATE_LIMIT_ENABLED: 'false',
    RATE_LIMIT_PER_MINUTE: '600',
    RATE_LIMIT_BURST: '0',
    RATE_LIMIT_FILES_PER_MINUTE: '900',
    RATE_LIMIT_FILES_BURST: '9',
    RATE_LIMIT_FAIL_MODE: 'closed',
    WS_MESSAGE_RATE_LIMIT: '300',
    WS_MAX_CONNECTIONS_PER_USER: '2',
    REDIS_CIRCUIT_BREAKER_FAIL_MAX: '7',
    REDIS_CIRCUIT_BREAKER_TIMEOUT: '2s',
  }
  expect(read(variables)).toEqual({
    enabled: false,
    onStoreError: 'deny',
    http: { points: 600, per: '1m', burst: 0 },
    files: { points: 900, per: '1m', burst: 9 },
    websocket: { points: 300, per: '1m' },
    connections: { perIdentity: 2 },
    breaker: { failures: 7, resetMs: 2000 },
  })
  expect(read({ RATE_LIMIT_FAIL_MODE: 'open' }).onStoreError).toBe('allow')
})

it.each([
  ['RATE_LIMIT_PER_MINUTE', '0'],
  ['RATE_LIMIT_PER_MINUTE', '100001'],
  ['RATE_LIMIT_BURST', '-1'],
  ['RATE_LIMIT_FILES_PER_MINUTE', '0'],
  ['RATE_LIMIT_FAIL_MODE', 'ajar'],
  ['WS_MESSAGE_RATE_LIMIT', 'many'],
  ['WS_MAX_CONNECTIONS_PER_USER', '0'],
])('%s refuses %s', (name, value) => {
  expect(() => read({ [name]: value })).toThrow(name)
})
