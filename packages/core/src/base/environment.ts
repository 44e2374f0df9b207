import { BootError } from './boot-error.ts'

export const environments = ['dev', 'test', 'staging', 'production'] as const

export type Environment = (typeof environments)[number]

/** Other names for them. */
const aliases: ReadonlyMap<string, Environment> = new Map([
  ['development', 'dev'],
  ['prod', 'production'],
  ['stage', 'staging'],
])

/**
 * The environment of the app: the option of `createApp`, else `ENV`, else `NODE_ENV`, else `dev`. `production` in either variable
 * takes precedence, so that a forgotten one cannot weaken it; `conflict` is then the warning.
 */
export function resolveEnvironment(
  told: Environment | undefined,
  variables: Readonly<Record<string, string | undefined>>,
): { readonly environment: Environment; readonly conflict: string | null } {
  if (told !== undefined && !environments.includes(told)) {
    throw new BootError('bad_option', `environment must be one of ${environments.join(', ')}, not '${told}'`)
  }
  const env = parse('ENV', variables.ENV)
  const nodeEnv = parse('NODE_ENV', variables.NODE_ENV)
  const environment = told ?? ([env, nodeEnv].includes('production') ? 'production' : (env ?? nodeEnv ?? 'dev'))
  const others = [env, nodeEnv].filter((each) => each !== undefined && each !== environment)
  const conflict =
    others.length === 0
      ? null
      : `The environment is ${environment}, but ENV=${variables.ENV} and NODE_ENV=${variables.NODE_ENV}`
  return { environment, conflict }
}

function parse(name: string, value: string | undefined): Environment | undefined {
  if (value === undefined || value === '') return undefined
  const known = aliases.get(value) ?? environments.find((each) => each === value)
  // Other tools use NODE_ENV too: only ENV is rejected.
  if (known === undefined && name === 'ENV') {
    throw new BootError('bad_option', `ENV must be one of ${environments.join(', ')}, not '${value}'`)
  }
  return known
}
