import { type BootError, type Environment, guard } from '@twinwire/core'
import { describe, expect, it } from 'vitest'
import { type MetricsOptions, resolveMetricsOptions } from './options.ts'

const open = guard({ name: 'open', run: () => {} })

describe('metrics() refuses', () => {
  // The types refuse most of these, JavaScript does not.
  it.each<[string, object, BootError['code'], string]>([
    [
      'an unknown option',
      { port: 9464 },
      'unknown_option',
      'metrics(): port is not an option. Known options: path, access',
    ],
    ['a path without a slash', { path: 'metrics' }, 'bad_option', 'path must be a path of letters'],
    ['a path with a parameter', { path: '/metrics/:kind' }, 'bad_option', 'path must be a path of letters'],
    ['an empty version', { version: '' }, 'bad_option', 'version must be a string'],
    ['a version that is not a string', { version: 1 }, 'bad_option', 'version must be a string'],
    ['no time at all', { collectTimeoutMs: 0 }, 'bad_option', 'collectTimeoutMs must be'],
    ['a string for a flag', { nodeDefaults: 'yes' }, 'bad_option', 'nodeDefaults must be'],
    ['another object as registry', { registry: {} }, 'bad_option', 'registry must be a Registry'],
    ['an unknown access', { access: 'private' }, 'bad_option', "access must be 'public'"],
    ['no access', { access: null }, 'bad_option', "access must be 'public'"],
    ['no guard', { access: { use: [] } }, 'bad_option', 'access.use must be a list of guards with at least one entry'],
    [
      'another step',
      { access: { use: [open, { kind: 'check', name: 'own' }] } },
      'bad_option',
      'access.use[1] must be a guard',
    ],
    ['no network', { access: { networks: [] } }, 'bad_option', 'access.networks must be a list of IP addresses'],
    [
      'two ways at once',
      { access: { networks: ['::1'], port: 1 } },
      'unknown_option',
      'access.port is not an option. Known options: networks',
    ],
    ['no port', { access: {} }, 'bad_option', 'access.port is required'],
    ['a port out of range', { access: { port: 65_536 } }, 'bad_option', 'access.port must be'],
    ['no host', { access: { port: 1, host: '' } }, 'bad_option', 'access.host must be'],
  ])('%s', (_name, options, code, message) => {
    const resolve = () => resolveMetricsOptions(options as MetricsOptions, 'test')
    expect(resolve).toThrow(message)
    expect(resolve).toThrow(expect.objectContaining({ name: 'BootError', code }))
  })

  it('production without access, and with `public`', () => {
    for (const options of [{}, { access: 'public' }] as const) {
      expect(() => resolveMetricsOptions(options, 'production')).toThrow(
        /access must say in production who may scrape: .*use:.*networks:.*port:/,
      )
      for (const environment of ['dev', 'test', 'staging'] satisfies Environment[])
        expect(resolveMetricsOptions(options, environment).access).toBe('public')
    }
  })
})

it('metrics() has these defaults', () => {
  expect(resolveMetricsOptions({}, 'dev')).toEqual({
    path: '/metrics',
    access: 'public',
    exemplars: false,
    version: 'unknown',
    registry: null,
    nodeDefaults: true,
    collectTimeoutMs: 2000,
  })
})
