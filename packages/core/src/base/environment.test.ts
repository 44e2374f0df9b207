import { describe, expect, it } from 'vitest'
import { type Environment, resolveEnvironment } from './environment.ts'

describe('the environment', () => {
  it.each([
    ['nothing', {}, 'dev'],
    ['empty variables', { ENV: '', NODE_ENV: '' }, 'dev'],
    ['ENV', { ENV: 'staging' }, 'staging'],
    ['NODE_ENV', { NODE_ENV: 'test' }, 'test'],
    ['other names', { ENV: 'prod' }, 'production'],
    ['other names', { NODE_ENV: 'development' }, 'dev'],
    ['other names', { ENV: 'stage' }, 'staging'],
    ['a NODE_ENV that is not ours', { NODE_ENV: 'ci' }, 'dev'],
    ['a NODE_ENV that every object has', { NODE_ENV: 'constructor' }, 'dev'],
    ['both alike', { ENV: 'production', NODE_ENV: 'production' }, 'production'],
  ])('of %s: %j is %s', (_name, variables, environment) => {
    expect(resolveEnvironment(undefined, variables)).toEqual({ environment, conflict: null })
  })

  it.each([
    [{ ENV: 'dev', NODE_ENV: 'production' }, 'production'],
    [{ ENV: 'production', NODE_ENV: 'test' }, 'production'],
    [{ ENV: 'staging', NODE_ENV: 'test' }, 'staging'],
  ])('of variables that disagree, %j, is %s, and says so', (variables, environment) => {
    const resolved = resolveEnvironment(undefined, variables)
    expect(resolved.environment).toBe(environment)
    expect(resolved.conflict).toBe(
      `The environment is ${environment}, but ENV=${variables.ENV} and NODE_ENV=${variables.NODE_ENV}`,
    )
  })

  it('given explicitly overrides both, and a conflict is reported', () => {
    expect(resolveEnvironment('test', {})).toEqual({ environment: 'test', conflict: null })
    const resolved = resolveEnvironment('dev', { NODE_ENV: 'production' })
    expect(resolved.environment).toBe('dev')
    expect(resolved.conflict).toContain('NODE_ENV=production')
  })

  it.each(['live', 'toString', 'PRODUCTION'])('refuses ENV=%s: what it means would be a guess', (ENV) => {
    expect(() => resolveEnvironment(undefined, { ENV })).toThrow(
      expect.objectContaining({
        code: 'bad_option',
        message: `ENV must be one of dev, test, staging, production, not '${ENV}'`,
      }),
    )
  })

  it('refuses to be told what is none: an app that is not known to be in production would be open', () => {
    expect(() => resolveEnvironment('prod' as Environment, {})).toThrow(
      expect.objectContaining({
        code: 'bad_option',
        message: "environment must be one of dev, test, staging, production, not 'prod'",
      }),
    )
  })
})
