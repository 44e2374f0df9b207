import type { BootError, Environment, Identity } from '@twinwire/core'
import { describe, expect, it } from 'vitest'
import { type AuditOptions, resolveAuditOptions } from './options.ts'

describe('audit() refuses', () => {
  // The types refuse most of these, JavaScript does not.
  it.each<[string, object, BootError['code'], string]>([
    ['an unknown option', { queue: 5 }, 'unknown_option', 'audit(): queue is not an option.'],
    ['a string for a flag', { enabled: 'yes' }, 'bad_option', 'enabled must be true or false'],
    ['an unknown access', { access: 'private' }, 'bad_option', "access must be 'public'"],
    ['a path with a parameter', { path: '/logs/:id' }, 'bad_option', 'path must be a path of letters'],
    ['a negative retention', { retentionDays: -1 }, 'bad_option', 'retentionDays must be an integer from 0 to 36500'],
    ['an empty queue', { queueSize: 0 }, 'bad_option', 'queueSize must be an integer from 1 to 1000000'],
    ['a batch that no statement can have', { batchSize: 1001 }, 'bad_option', 'batchSize must be'],
    ['a batch that never waits', { batchMs: 0 }, 'bad_option', 'batchMs must be'],
    ['another overflow', { overflow: 'block' }, 'bad_option', "overflow must be 'drop' or 'spill'"],
    ['a spill without a folder', { overflow: 'spill' }, 'bad_option', "spillFolder is required with overflow: 'spill'"],
    [
      'a folder without a spill',
      { spillFolder: '/tmp' },
      'bad_option',
      "spillFolder has no effect without overflow: 'spill'",
    ],
    ['an empty folder', { overflow: 'spill', spillFolder: '' }, 'bad_option', 'spillFolder must be a path of a folder'],
    ['files too small for a row', { maxSpillBytes: 10 }, 'bad_option', 'maxSpillBytes must be'],
    ['rows too small for their columns', { maxRowBytes: 100 }, 'bad_option', 'maxRowBytes must be'],
    ['no time to write', { writeTimeoutMs: 0 }, 'bad_option', 'writeTimeoutMs must be'],
    ['everything skipped', { skip: ['/'] }, 'bad_option', "skip[0] must be a path below '/'"],
    ['roles that are not a function', { roles: ['admin'] }, 'bad_option', 'roles must be a function'],
  ])('%s', (_name, options, code, message) => {
    const resolve = () => resolveAuditOptions(options as AuditOptions, 'test')
    expect(resolve).toThrow(message)
    expect(resolve).toThrow(expect.objectContaining({ name: 'BootError', code }))
  })

  it('staging and production without access', () => {
    for (const environment of ['staging', 'production'] satisfies Environment[])
      expect(() => resolveAuditOptions({}, environment)).toThrow(
        /access must say in (staging|production) who may read the audit log: .*use:.*networks:.*port:/,
      )
    for (const environment of ['dev', 'test'] satisfies Environment[])
      expect(resolveAuditOptions({}, environment).access).toBe('public')
    expect(() => resolveAuditOptions({ access: 'public' }, 'production')).toThrow('access must say in production')
    expect(resolveAuditOptions({ access: 'public' }, 'staging').access).toBe('public')
  })
})

describe('roles of an identity are, by default,', () => {
  it.each<[string, Identity & Record<string, unknown>, readonly string[]]>([
    ['none without any', { id: '1', name: 'Ann' }, []],
    ['those of plugin-auth', { id: '1', name: 'Ann', roles: ['a'], realmRoles: ['b'] }, ['a', 'realm:b']],
    ['only strings', { id: '1', name: 'Ann', roles: ['a', 5, null], realmRoles: 'b' }, ['a']],
  ])('%s', (_name, identity, roles) => {
    expect(resolveAuditOptions({}, 'test').roles(identity)).toEqual(roles)
  })
})
