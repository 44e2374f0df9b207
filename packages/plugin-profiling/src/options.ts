import type { Environment } from '@twinwire/core'
import {
  badOption,
  checkOptions,
  type EndpointAccess,
  type EndpointGuard,
  type EndpointNames,
  type OptionRules,
  option,
  resolveEndpointAccess,
} from '@twinwire/core/plugin'

/** Who may take profiles. */
export type ProfilingAccess = EndpointAccess

export type ProfilingGuard = EndpointGuard

export interface ProfilingOptions {
  /** Required in every environment: a profile slows the process down, and shows names and paths of its code. */
  readonly access: ProfilingAccess
  /** Profiles are at `<path>/cpu` and `<path>/heap`. Default `/profiling`. */
  readonly path?: `/${string}` | undefined
  /** Longest profile that a caller may ask for, in seconds, 1 to 60. Default 60. */
  readonly maxSeconds?: number | undefined
}

/** Options with their defaults. */
export interface ResolvedProfilingOptions {
  readonly access: ProfilingAccess
  readonly path: `/${string}`
  readonly maxSeconds: number
}

export const owner = 'profiling()'

/** How messages name what is served. */
export const names: EndpointNames = { owner, who: 'who may profile', what: 'profiles', role: 'admin', port: 9466 }

const rules = {
  access: option.unchecked<ProfilingAccess>(),
  path: option.path({ default: '/profiling' }),
  maxSeconds: option.integer({ min: 1, max: 60, default: 60 }),
} satisfies OptionRules<ProfilingOptions>

/** @throws BootError `bad_option`, `unknown_option` */
export function resolveProfilingOptions(options: ProfilingOptions, environment: Environment): ResolvedProfilingOptions {
  const { access, path, maxSeconds } = checkOptions(owner, options, rules)
  if (access === undefined)
    throw badOption(
      owner,
      'access',
      `must say who may profile: { use: [requireRoles('admin')] } for a role, { networks: ['10.0.0.0/8'] } for addresses, { port: ${names.port} } for a separate port, or 'public' outside of production`,
    )
  return { path, maxSeconds, access: resolveEndpointAccess(access, environment, names) }
}
