import { describe, expect, it } from 'vitest'
import { clusterSettings, defineSettings } from '../settings.ts'
import { thrownBy } from '../testing/boot.fixtures.ts'

const declared = defineSettings({ cluster: clusterSettings })
const read = (variables: Record<string, string>) => declared.read({ variables: { ENV: 'test', ...variables } }).cluster

describe('clusterSettings', () => {
  it.each<[Record<string, string>, object]>([
    [{}, { workers: 1 }],
    [{ WORKERS: 'auto' }, { workers: 'auto' }],
    [
      { WORKERS: '1024', CLUSTER_PORT: '0' },
      { workers: 1024, endpoint: { port: 0 } },
    ],
    [
      { CLUSTER_PORT: '9464', CLUSTER_HOST: '0.0.0.0' },
      { workers: 1, endpoint: { port: 9464, host: '0.0.0.0' } },
    ],
  ])('reads %j', (variables, expected) => {
    expect(read(variables)).toEqual(expected)
  })

  it.each([
    [{ WORKERS: '0' }, 'WORKERS must be an integer from 1 to 1024, or auto'],
    [{ WORKERS: '1025' }, 'WORKERS must be an integer from 1 to 1024, or auto'],
    [{ WORKERS: 'all' }, 'WORKERS must be an integer from 1 to 1024, or auto'],
    [{ CLUSTER_HOST: '::1' }, 'CLUSTER_PORT is required when CLUSTER_HOST is set'],
  ])('refuses %j', (variables, message) => {
    expect(thrownBy(() => read(Object(variables))).message).toContain(message)
  })
})
